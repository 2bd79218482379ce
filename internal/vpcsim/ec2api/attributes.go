// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

func modifyAttribute(f *form) func(context.Context, *model.VPC) (reply, error) {
	id, dry := f.text("NetworkInterfaceId"), f.flag("DryRun")
	if f.params["SourceDestCheck.Value"] == "" {
		f.fail(model.Refuse(model.CodeMissingParameter, "The request must contain the parameter sourceDestCheck; other attributes cannot be changed here"))
	}
	on := f.flag("SourceDestCheck.Value")
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		return &done{Return: true}, v.SetSourceDestCheck(ctx, id, on, dry)
	}
}

type describeAttributeReply struct {
	head
	NetworkInterfaceID string `xml:"networkInterfaceId"`
	SourceDestCheck    *value `xml:"sourceDestCheck"`
	Description        *value `xml:"description"`
}

type value struct {
	Value any `xml:"value"`
}

func describeAttribute(f *form) func(context.Context, *model.VPC) (reply, error) {
	id, name, dry := f.text("NetworkInterfaceId"), f.text("Attribute"), f.flag("DryRun")
	if name != "sourceDestCheck" && name != "description" {
		f.fail(model.Refuse(model.CodeInvalidParameter, "Invalid value '%s' for parameter attribute; known here are sourceDestCheck and description", name))
	}
	return func(ctx context.Context, v *model.VPC) (reply, error) {
		e, err := v.DescribeNetworkInterfaceAttribute(ctx, id, dry)
		out := &describeAttributeReply{NetworkInterfaceID: id}
		if name == "description" {
			out.Description = &value{e.Description}
		} else {
			out.SourceDestCheck = &value{e.SourceDestCheck}
		}
		return out, err
	}
}
