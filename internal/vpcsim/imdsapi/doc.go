// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package imdsapi serves the instance metadata (IMDSv2) of one worker of a
// model.VPC over HTTP.
//
// A session begins with PUT /latest/api/token; requests without a token are
// refused, as on instances that require IMDSv2. Paths and their texts are those
// of the EC2 user guide, "Instance metadata categories". The hop limit is an
// IP TTL and so the network's job: Server.HopLimit tells it what to set.
package imdsapi
