// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"encoding/base64"
	"strings"
)

// Bounds of MaxResults for the Describe actions. Source: EC2 API reference.
const (
	minPage = 5
	maxPage = 1000
)

// tokenMark begins what a NextToken hides.
const tokenMark = "after "

// page cuts one page out of all, which are in a lasting order. A token leads
// behind the resource with which the last page ended.
func page[T any](all []T, id func(T) string, maxResults int, token string) (some []T, next string, refusal *Error) {
	if maxResults != 0 && (maxResults < minPage || maxResults > maxPage) {
		bound, text := minPage, "greater"
		if maxResults > maxPage {
			bound, text = maxPage, "less"
		}
		return nil, "", Refuse(CodeInvalidParameter, "Value ( %d ) for parameter maxResults is invalid. Expecting a value %s than or equal to %d.", maxResults, text, bound)
	}
	if token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		last, ok := strings.CutPrefix(string(raw), tokenMark)
		if err != nil || !ok {
			return nil, "", Refuse(CodeInvalidParameter, "Unable to parse the pagination token.")
		}
		for i, r := range all {
			if id(r) == last {
				all = all[i+1:]
				break
			}
		}
		if maxResults == 0 {
			maxResults = maxPage
		}
	}
	if maxResults == 0 || len(all) <= maxResults {
		return all, "", nil
	}
	last := id(all[maxResults-1])
	return all[:maxResults], base64.RawURLEncoding.EncodeToString([]byte(tokenMark + last)), nil
}

// pageOrIDs refuses pagination together with ids, as EC2 does.
func pageOrIDs(parameter string, ids []string, maxResults int) *Error {
	if len(ids) > 0 && maxResults != 0 {
		return Refuse(CodeInvalidCombination, "The parameter %s cannot be used with the parameter maxResults", parameter)
	}
	return nil
}
