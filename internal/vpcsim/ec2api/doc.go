// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ec2api serves a model.VPC over HTTP as the EC2 query API that the
// AWS SDKs speak: form parameters in, XML out.
//
// Names of parameters and elements are those of the API version 2016-11-15.
// Signatures are not checked; the access key id in them tells the model who
// calls. Beside the API, paths below /_vpcsim/ serve the call log, the injected
// faults and the state as JSON, for shells and for machines that are not in
// this process. Transport runs a handler without a network.
package ec2api
