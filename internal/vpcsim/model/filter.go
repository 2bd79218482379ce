// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"slices"
	"strings"
)

// A Filter of a Describe call: the resource has one of the values. Several
// filters must all hold.
type Filter struct {
	Name   string
	Values []string
}

// maxFilterValues is how many values one call may filter by. Source: EC2 API
// reference, error FilterLimitExceeded.
const maxFilterValues = 200

// attributes tells what a resource has under a filter's name; ok is false when
// the kind of resource has no filter of that name. Tags are found elsewhere.
type attributes[T any] func(resource T, name string) (values []string, ok bool)

// keep returns the resources that all filters let through.
func keep[T any](all []T, filters []Filter, attrs attributes[T], tags func(T) map[string]string) ([]T, *Error) {
	var none T
	n := 0
	for _, f := range filters {
		n += len(f.Values)
		_, known := attrs(none, f.Name)
		if !known && f.Name != "tag-key" && !strings.HasPrefix(f.Name, "tag:") {
			return nil, Refuse(CodeInvalidParameter, "The filter '%s' is invalid", f.Name)
		}
		if len(f.Values) == 0 {
			return nil, Refuse(CodeInvalidParameter, "The filter 'null' is invalid")
		}
	}
	if n > maxFilterValues {
		return nil, Refuse(CodeFilterLimit, "The maximum number of filter values specified on a single call is %d", maxFilterValues)
	}
	var kept []T
	for _, r := range all {
		if !slices.ContainsFunc(filters, func(f Filter) bool { return !passes(r, f, attrs, tags) }) {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

func passes[T any](r T, f Filter, attrs attributes[T], tags func(T) map[string]string) bool {
	var has []string
	switch key, isTag := strings.CutPrefix(f.Name, "tag:"); {
	case isTag:
		if value, ok := tags(r)[key]; ok {
			has = []string{value}
		}
	case f.Name == "tag-key":
		for k := range tags(r) {
			has = append(has, k)
		}
	default:
		has, _ = attrs(r, f.Name)
	}
	return slices.ContainsFunc(has, func(text string) bool { return matchAny(f.Values, text) })
}
