// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"slices"
	"strings"
)

// match says whether text matches a pattern in which "*" stands for any text,
// "?" for any character, and "\" takes the next character as it is. Source:
// EC2 user guide, "Filter resources with the API"; IAM policies read alike.
func match(pattern, text string) bool {
	if !strings.ContainsAny(pattern, `*?\`) {
		return pattern == text
	}
	// rows[j] says whether what was read of the pattern matches text[:j].
	rows := make([]bool, len(text)+1)
	rows[0] = true
	for i := 0; i < len(pattern); i++ {
		p := pattern[i]
		if p == '*' {
			for j := 1; j <= len(text); j++ {
				rows[j] = rows[j] || rows[j-1]
			}
			continue
		}
		literal := p == '\\' && i+1 < len(pattern)
		if literal {
			i++
			p = pattern[i]
		}
		for j := len(text); j > 0; j-- {
			rows[j] = rows[j-1] && (p == text[j-1] || !literal && p == '?')
		}
		rows[0] = false
	}
	return rows[len(text)]
}

func matchAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, text) })
}
