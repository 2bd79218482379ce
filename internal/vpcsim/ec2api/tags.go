// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

func createTags(f *form) func(context.Context, *model.VPC) (reply, error) {
	resources, dry := f.list("ResourceId"), f.flag("DryRun")
	tags := map[string]string{}
	for k, value := range f.tags() {
		tags[k] = ""
		if value != nil {
			tags[k] = *value
		}
	}
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		return &done{Return: true}, v.CreateTags(ctx, resources, tags, dry)
	}
}

func deleteTags(f *form) func(context.Context, *model.VPC) (reply, error) {
	resources, tags, dry := f.list("ResourceId"), f.tags(), f.flag("DryRun")
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		return &done{Return: true}, v.DeleteTags(ctx, resources, tags, dry)
	}
}
