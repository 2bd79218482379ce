// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package traffic measures what a client of pods sees of a failover: numbered
// packets at a steady pace, their echoes, and which of them were lost.
package traffic
