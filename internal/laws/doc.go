// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package laws holds the EC2 calls of registrars against the laws of claims,
// from outside: it is told what the kernels have and, by the embedded VPC, who
// changes what and whose that was, and knows nothing of a registrar's insides.
// Where it cannot know what a registrar was told, it decides for the registrar.
package laws
