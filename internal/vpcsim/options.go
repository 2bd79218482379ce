// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import "github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric"

// Options of Start. The zero value builds everything, which needs root or
// package sandbox.
type Options struct {
	// NoFabric serves EC2 and IMDS on 127.0.0.1 and builds no network.
	NoFabric bool
	// Fabric are the options of the network.
	Fabric fabric.Options
	// InstanceRole leaves the credentials out of Env, so that programs fetch
	// those of the worker's instance role from IMDS.
	InstanceRole bool
	// Remote puts EC2 behind TLS and a distance, and has STS give the
	// credentials; nil serves it in the clear and at once.
	Remote *Remote
}
