// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	// maxQuantity bounds the bytes of a quantity: more digits than any amount has.
	maxQuantity = 32
	// maxExponent bounds the exponent of "1e3" to that of the largest suffix, E.
	maxExponent = 18
)

// parseQuantity reads a quantity that somebody else wrote. The library takes any
// exponent, and to parse or to compare a quantity computes ten to the power of it:
// 1e2000000000 in an annotation would take a replica's time and memory.
// Source: k8s.io/apimachinery, resource.ParseQuantity; gopkg.in/inf.v0, Dec.Cmp.
func parseQuantity(text string) (resource.Quantity, error) {
	if len(text) > maxQuantity {
		return resource.Quantity{}, fmt.Errorf("a quantity of %d bytes: %d are read", len(text), maxQuantity)
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		// The suffixes E and Ei are no exponents.
		if e := text[at+1:]; e != "" && e != "i" {
			if n, err := strconv.Atoi(e); err != nil || n < -maxExponent || n > maxExponent {
				return resource.Quantity{}, fmt.Errorf("a quantity with the exponent %s: -%d to %d are read", e, maxExponent, maxExponent)
			}
		}
	}
	return resource.ParseQuantity(text)
}
