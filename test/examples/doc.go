// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package examples holds examples/multus and the pages about them to what the
// code does: every manifest is parsed strictly and admitted by pkg/inject, every
// IAM policy allows what pkg/eniassign calls and no more, and the reference
// pages list what the code lists. UPDATE_GOLDEN=1 writes the table of
// docs/annotations.md anew.
package examples
