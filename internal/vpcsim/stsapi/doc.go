// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stsapi serves AssumeRoleWithWebIdentity, with which pods that have an
// IAM role of their own (IRSA) get credentials. Nothing is checked; the role's
// name is that of a worker, whose access key id the credentials have.
package stsapi
