// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"context"
	"maps"
	"strings"
)

// Limits of tags. Source: EC2 user guide, tag restrictions.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// CreateTags is the EC2 action: it sets tags on ENIs, subnets and route tables.
func (v *VPC) CreateTags(ctx context.Context, resources []string, tags map[string]string, dryRun bool) error {
	_, err := serve(ctx, v, request{action: "CreateTags", eni: onlyENI(resources), dryRun: dryRun}, func() (none struct{}, _ *Error) {
		if len(resources) == 0 {
			return none, errMissing("resourceIdSet")
		}
		if len(tags) == 0 {
			return none, errMissing("tagSet")
		}
		for k, value := range tags {
			if k == "" || len(k) > maxTagKey || len(value) > maxTagValue || strings.HasPrefix(k, "aws:") {
				return none, Refuse(CodeInvalidParameter, "Tag key '%s' or its value is not valid", k)
			}
		}
		sets, err := v.tagSets(resources)
		if err != nil {
			return none, err
		}
		for _, set := range sets {
			merged := maps.Clone(*set)
			if merged == nil {
				merged = map[string]string{}
			}
			maps.Copy(merged, tags)
			if len(merged) > maxTags {
				return none, Refuse("TagLimitExceeded", "The maximum number of tags per resource is %d", maxTags)
			}
		}
		for _, set := range sets {
			if *set == nil {
				*set = map[string]string{}
			}
			maps.Copy(*set, tags)
		}
		return none, nil
	})
	return err
}

// DeleteTags is the EC2 action. A tag with a value goes only where it has that
// value; a nil value means any. What is not there counts as gone.
func (v *VPC) DeleteTags(ctx context.Context, resources []string, tags map[string]*string, dryRun bool) error {
	_, err := serve(ctx, v, request{action: "DeleteTags", eni: onlyENI(resources), dryRun: dryRun}, func() (none struct{}, _ *Error) {
		sets, err := v.tagSets(resources)
		if err != nil {
			return none, err
		}
		for _, set := range sets {
			maps.DeleteFunc(*set, func(k, has string) bool {
				value, named := tags[k]
				return len(tags) == 0 || named && (value == nil || *value == has)
			})
		}
		return none, nil
	})
	return err
}

// tagSets are the tags of resources. It wants mu.
func (v *VPC) tagSets(resources []string) ([]*map[string]string, *Error) {
	var sets []*map[string]string
	for _, id := range resources {
		switch {
		case v.enis[id] != nil:
			sets = append(sets, &v.enis[id].tags)
		case v.subnets[id] != nil:
			sets = append(sets, &v.subnets[id].tags)
		case v.tables[id] != nil:
			sets = append(sets, &v.tables[id].tags)
		case strings.HasPrefix(id, "eni-"):
			return nil, errENINotFound(id)
		default:
			return nil, Refuse(CodeInvalidID, "The ID '%s' is not valid", id)
		}
	}
	return sets, nil
}

func onlyENI(resources []string) string {
	if len(resources) == 1 && strings.HasPrefix(resources[0], "eni-") {
		return resources[0]
	}
	return ""
}
