// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package inject decides which pods get the registrar, and answers the API
// server with the patch that adds it.
//
// Decide and Patch are pure: all that they know comes in as values, so that a
// golden file beside a pod says everything about it. A patch has explicit RFC
// 6902 operations that only add; it is never the difference of two encodings,
// so fields that this build does not know stay as they are. Handler is the HTTP
// side around them. What the cluster knows, it asks through Cluster.
//
// Among other webhooks the API server calls this one by the name of its
// configuration: after istio… and linkerd…, whose proxies it then sees, and
// before pod-identity-webhook, which gives its container the credentials. Called
// again, it adds nothing, but mends what another one has lost.
//
// Out of scope: certificates, servers and caches; they are cmd/webhook's.
package inject
