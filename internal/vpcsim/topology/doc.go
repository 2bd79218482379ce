// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package topology reads the description of an embedded VPC from YAML: its
// subnets, workers, ENIs and pods, and how its EC2 and IMDS are to behave.
//
// Parse reports every fault of a file at once, each with its line and its
// cure. What it returns is complete (ids and MACs are derived from names where
// the file gives none) and consistent (every reference and address has been
// checked), so that nobody after it has to check again. How many addresses an
// instance type may have is EC2's knowledge and is checked by package model.
package topology
