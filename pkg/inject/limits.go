// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"strings"
)

// What is read of a pod at most. Its annotations come here before the API server
// holds them to 256 KiB, so up to the 3 MiB of a request.
// Source: k8s.io/apimachinery, TotalAnnotationSizeLimitB; k8s.io/apiserver, MaxRequestBodyBytes.
const (
	// maxValue bounds a value of an annotation of ours, in bytes.
	maxValue = 4 << 10
	// maxItems bounds a list in it: an ENI has 50 addresses of each family at most.
	// Source: Amazon EC2 user guide, "Maximum IP addresses per network interface".
	maxItems = 256
	// maxOurs bounds the annotations of ours: there are not half as many keys.
	maxOurs = 32
	// maxNetworksText bounds the annotation of Multus, in bytes, and maxNetworks
	// its list: an instance has 15 ENIs, and a pod seldom two networks on one.
	maxNetworksText = 64 << 10
	maxNetworks     = 64
	// maxQuoted bounds how much of a bad value a sentence repeats: the API server
	// cuts warnings at 256 characters. maxKey does for a key, whose name has 63
	// bytes at most, maxCited for an error of a library, maxNamed for a list.
	maxQuoted = 60
	maxKey    = len(Prefix) + 63
	maxCited  = 300
	maxNamed  = 4
	// maxNear is the longest text that may be a slip of the pen: twice as long as
	// the longest key.
	maxNear = 64
)

// fits says whether a value is short enough to be looked at.
func fits(value string) error {
	if len(value) > maxValue {
		return fmt.Errorf("is %d bytes long: %d are allowed", len(value), maxValue)
	}
	return nil
}

// quote cites what somebody wrote, its beginning if it is long.
func quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%.*q…", maxQuoted, s)
	}
	return fmt.Sprintf("%q", s)
}

// enumerate tells the first names of a list, and how many more there are.
func enumerate(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
