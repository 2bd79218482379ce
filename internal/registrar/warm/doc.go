// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package warm keeps a registrar that waits ready to call EC2: its credentials
// fetched before they expire, and its connections open.
//
// The first call of a failover then pays for one round trip, not for those of
// STS, TCP and TLS before it. None of this makes a call of the EC2 API. A
// registrar without it works the same, only later.
package warm
