// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package imdsapi

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// metaData is everything below /latest/meta-data. Source: EC2 user guide,
// "Instance metadata categories". Tags of ENIs are not there.
func metaData(i model.Instance, c model.Credentials) *tree {
	t := &tree{}
	t.put("ami-id", "ami-00000000000000001")
	t.put("instance-id", i.Worker.InstanceID)
	t.put("instance-type", i.Worker.Type)
	t.put("placement/region", i.Region)
	t.put("placement/availability-zone", i.Zone)
	t.put("services/domain", "amazonaws.com")
	t.put("services/partition", "aws")
	t.put("iam/security-credentials/"+c.Role, credentials(c))
	t.put("iam/info", marshal(map[string]string{
		"Code":               "Success",
		"LastUpdated":        c.Updated.Format(time.RFC3339),
		"InstanceProfileArn": "arn:aws:iam::" + i.Account + ":instance-profile/" + c.Role,
	}))
	for _, e := range i.Interfaces {
		if e.DeviceIndex == 0 {
			t.put("mac", e.MAC)
			t.put("local-ipv4", e.IPv4[0].String())
			t.put("hostname", hostname(e.IPv4[0], i.Region))
			t.put("local-hostname", hostname(e.IPv4[0], i.Region))
			if len(e.IPv6) > 0 {
				t.put("ipv6", e.IPv6[0].String())
			}
		}
		put := func(leaf, text string) { t.put("network/interfaces/macs/"+e.MAC+"/"+leaf, text) }
		put("mac", e.MAC)
		put("interface-id", e.ID)
		put("device-number", strconv.Itoa(e.DeviceIndex))
		put("network-card", "0")
		put("owner-id", i.Account)
		put("local-hostname", hostname(e.IPv4[0], i.Region))
		put("subnet-id", e.Subnet.ID)
		put("subnet-ipv4-cidr-block", e.Subnet.CIDR.String())
		if e.Subnet.IPv6.IsValid() {
			put("subnet-ipv6-cidr-blocks", e.Subnet.IPv6.String())
		}
		put("vpc-id", i.VPCID)
		for _, v4 := range []bool{true, false} {
			blocks := lines(family(i.VPCBlocks, v4))
			if v4 {
				first, _, _ := strings.Cut(blocks, "\n")
				put("vpc-ipv4-cidr-block", first)
				put("vpc-ipv4-cidr-blocks", blocks)
			} else {
				put("vpc-ipv6-cidr-blocks", blocks)
			}
		}
		put("local-ipv4s", lines(e.IPv4))
		put("ipv6s", lines(e.IPv6))
		put("ipv4-prefix", lines(e.IPv4Prefixes))
		put("ipv6-prefix", lines(e.IPv6Prefixes))
	}
	return t
}

func family(blocks []netip.Prefix, v4 bool) []netip.Prefix {
	var some []netip.Prefix
	for _, p := range blocks {
		if p.Addr().Is4() == v4 {
			some = append(some, p)
		}
	}
	return some
}

// lines are values one per line, as IMDS writes lists.
func lines[T interface{ String() string }](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, "\n")
}

func hostname(a netip.Addr, region string) string {
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + "." + region + ".compute.internal"
}

// credentials is the document that the SDKs' instance role provider reads.
func credentials(c model.Credentials) string {
	return marshal(map[string]string{
		"Code":            "Success",
		"Type":            "AWS-HMAC",
		"LastUpdated":     c.Updated.Format(time.RFC3339),
		"AccessKeyId":     c.AccessKeyID,
		"SecretAccessKey": c.SecretAccessKey,
		"Token":           c.Token,
		"Expiration":      c.Expiration.Format(time.RFC3339),
	})
}

// document is the instance identity document.
func document(i model.Instance) string {
	d := map[string]string{
		"accountId":        i.Account,
		"architecture":     "x86_64",
		"availabilityZone": i.Zone,
		"imageId":          "ami-00000000000000001",
		"instanceId":       i.Worker.InstanceID,
		"instanceType":     i.Worker.Type,
		"region":           i.Region,
		"version":          "2017-09-30",
	}
	for _, e := range i.Interfaces {
		if e.DeviceIndex == 0 {
			d["privateIp"] = e.IPv4[0].String()
		}
	}
	return marshal(d)
}

func marshal(m map[string]string) string {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "" // texts can always be written as JSON
	}
	return string(text)
}
