// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package integration runs the built registrar in the pods of an embedded VPC
// and judges it from outside: by what EC2 has, the log of EC2's calls, exit
// codes, logs, termination messages, and packets that arrive or do not.
//
// Everything but AWS is real: network namespaces, netlink, processes, signals,
// the AWS SDK over HTTP, IMDS at its own address. The registrar runs as it does
// in a cluster: as nobody, without capabilities. The tests need root or user
// namespaces, and leave no trace.
package integration
