// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

// Package measured is the form in which the measuring targets of this
// repository give what they measured.
package measured

import "math"

// A Figure is one measured thing, as JSON has it.
type Figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	N      int     `json:"n"`
	// Goal bounds the median and, after a slash, the 99th percentile.
	Goal string `json:"goal"`
	// Peer is what others take, on another machine; where nobody is named, the
	// Python sample of the AWS blog "Automated IP address management for Multus
	// workers and pods".
	Peer string `json:"peer"`
}

// Percentile is the smallest of sorted samples that at least p percent are not
// above; not a number where there is none.
func Percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
