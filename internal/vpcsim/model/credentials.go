// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"time"
)

// credentialsLast is how long the credentials of an instance role are good
// for. Source: EC2 user guide; the SDKs fetch new ones before that.
const credentialsLast = 6 * time.Hour

// Credentials are those of a worker's instance role. Signatures are not
// checked; the access key id tells the call log who calls.
type Credentials struct {
	Role            string
	AccessKeyID     string
	SecretAccessKey string
	Token           string
	Updated         time.Time
	Expiration      time.Time
}

// Credentials returns the credentials of a worker's instance role.
func (v *VPC) Credentials(worker string) Credentials {
	now := time.Now().UTC().Truncate(time.Second)
	c := Credentials{AccessKeyID: accessKeyOf(worker), Updated: now, Expiration: now.Add(credentialsLast)}
	sum := sha256.Sum256([]byte("secret/" + worker))
	c.SecretAccessKey, c.Token = hex.EncodeToString(sum[:20]), "vpcsim-"+hex.EncodeToString(sum[20:])
	for _, w := range v.topo.Workers {
		if w.Name == worker {
			c.Role = w.Role
		}
	}
	return c
}

// accessKeyOf is the access key id of a worker's instance role: "ASIA", as
// temporary ones have, and 16 characters.
func accessKeyOf(worker string) string {
	sum := sha256.Sum256([]byte("key/" + worker))
	return "ASIA" + base32.StdEncoding.EncodeToString(sum[:10])
}
