// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package proc runs programs in pods of the embedded VPC, as containers: with
// exactly the environment that is given, their output kept, none left behind.
package proc
