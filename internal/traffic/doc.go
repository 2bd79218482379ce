// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package traffic measures what of a client's packets arrives at pods: pings and,
// for a failover, numbered packets at a steady pace, with their echoes and which
// of them were lost.
package traffic
