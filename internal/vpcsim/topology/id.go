// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"crypto/sha256"
	"fmt"
)

// idDigits is how many hexadecimal digits follow the kind in EC2's long ids.
const idDigits = 17

// DeriveID returns the id of EC2's form that belongs to a name: the same for
// the same kind ("eni", "subnet" …) and name on every machine.
func DeriveID(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + "/" + name))
	return kind + "-" + fmt.Sprintf("%x", sum)[:idDigits]
}

// DeriveMAC returns the MAC address that belongs to an ENI's name: locally
// administered and unicast, as EC2's are ("02:…", "06:…", "0a:…").
func DeriveMAC(name string) string {
	sum := sha256.Sum256([]byte("mac/" + name))
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", sum[0], sum[1], sum[2], sum[3], sum[4])
}
