// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import "slices"

// DeleteENI takes an ENI (an id or name) out of EC2 with all its addresses and
// prefixes, as the termination of its instance does; false when there is none.
// Routes that lead to it stay, and lead nowhere.
func (v *VPC) DeleteENI(ref string) bool {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.find(ref)
	if e == nil {
		return false
	}
	for _, a := range v.view(e).Addresses() {
		v.drop(e, a, v.remapped(now))
	}
	for _, p := range slices.Clone(e.prefixes) {
		v.withdraw(e, p, v.remapped(now))
	}
	e.noted(now)
	delete(v.enis, e.id())
	return true
}
