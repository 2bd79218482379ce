// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"
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

// Credentials returns credentials of a worker's instance role that EC2 takes
// for ever, for a program's environment. Expiration is only what they say.
func (v *VPC) Credentials(worker string) Credentials {
	now := v.now().UTC().Truncate(time.Second)
	return v.credentials(worker, tokenPrefix+"static", now, now.Add(credentialsLast))
}

// RoleCredentials returns what IMDS has as the credentials of a worker's
// instance role now. New ones are there from the half of their life on, with
// another secret and token; the access key id stays, other than in EC2, since
// the call log and faults tell workers by it.
func (v *VPC) RoleCredentials(worker string) Credentials {
	half := (cmp.Or(v.topo.IMDS.CredentialsLast, credentialsLast) / 2).Truncate(time.Second)
	updated := v.now().UTC().Truncate(half)
	end := updated.Add(2 * half)
	return v.credentials(worker, tokenPrefix+strconv.FormatInt(end.Unix(), 10), updated, end)
}

func (v *VPC) credentials(worker, token string, updated, end time.Time) Credentials {
	c := Credentials{AccessKeyID: accessKeyOf(worker), Updated: updated, Expiration: end}
	sum := sha256.Sum256([]byte("secret/" + worker + "/" + token))
	c.SecretAccessKey, c.Token = hex.EncodeToString(sum[:20]), token+"-"+hex.EncodeToString(sum[20:])
	for _, w := range v.topo.Workers {
		if w.Name == worker {
			c.Role = w.Role
		}
	}
	return c
}

// A token of ours is the prefix, when it ends, as seconds of Unix time or
// "static", and a hash.
const tokenPrefix = "vpcsim-"

// textExpired is what EC2 says. Source: aws-sdk-go-v2 issue 1674.
const textExpired = "Request has expired."

// expired says whether a session token is one of ours that has run out.
func expired(token string, now time.Time) bool {
	rest, ours := strings.CutPrefix(token, tokenPrefix)
	end, _, _ := strings.Cut(rest, "-")
	seconds, err := strconv.ParseInt(end, 10, 64)
	return ours && err == nil && !now.Before(time.Unix(seconds, 0))
}

// accessKeyOf is the access key id of a worker's instance role: "ASIA", as
// temporary ones have, and 16 characters.
func accessKeyOf(worker string) string {
	sum := sha256.Sum256([]byte("key/" + worker))
	return "ASIA" + base32.StdEncoding.EncodeToString(sum[:10])
}
