// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import "context"

// SetSourceDestCheck is the EC2 action ModifyNetworkInterfaceAttribute, for
// the attribute SourceDestCheck. The data plane follows at once.
func (v *VPC) SetSourceDestCheck(ctx context.Context, eniID string, on, dryRun bool) error {
	_, err := serve(ctx, v, request{action: "ModifyNetworkInterfaceAttribute", eni: eniID, dryRun: dryRun}, func() (none struct{}, _ *Error) {
		e, err := v.target(eniID)
		if err != nil {
			return none, err
		}
		e.sourceDestCheck = on
		return none, nil
	})
	return err
}

// DescribeNetworkInterfaceAttribute is the EC2 action; the ENI holds every
// attribute that there is.
func (v *VPC) DescribeNetworkInterfaceAttribute(ctx context.Context, eniID string, dryRun bool) (ENI, error) {
	return serve(ctx, v, request{action: "DescribeNetworkInterfaceAttribute", eni: eniID, dryRun: dryRun}, func() (ENI, *Error) {
		e, err := v.target(eniID)
		if err != nil {
			return ENI{}, err
		}
		return v.view(e), nil
	})
}
