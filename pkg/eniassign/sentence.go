// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// maxSaid bounds what is quoted of others: a termination message holds 4 KiB
// for all addresses together.
const maxSaid = 240

// oneLine is a foreign message made fit to be quoted: one line, without
// control characters, without EC2's encoded authorization message (1 KiB of
// base64), and not too long.
func oneLine(s string) string {
	s, _, _ = strings.Cut(s, "Encoded authorization failure message")
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if r := []rune(s); len(r) > maxSaid {
		s = string(r[:maxSaid]) + "…"
	}
	return strings.TrimRight(s, " .:")
}

// addressesIn are the IP addresses that a foreign message names, in its order
// and without duplicates. Parts of prefixes ("10.0.0.0/24") do not count.
func addressesIn(message string) []netip.Addr {
	var found []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, word := range strings.FieldsFunc(message, func(r rune) bool {
		return !strings.ContainsRune("0123456789abcdefABCDEF:./", r)
	}) {
		if strings.Contains(word, "/") {
			continue
		}
		for _, candidate := range []string{word, strings.TrimRight(word, "."), strings.Trim(word, ".:")} {
			if a, err := netip.ParseAddr(candidate); err == nil {
				if a = a.Unmap(); !seen[a] {
					seen[a] = true
					found = append(found, a)
				}
				break
			}
		}
	}
	return found
}

// reason is the verdict as the reason of one address.
func (v verdict) reason(addr netip.Addr) *Reason {
	r := &Reason{
		Code:    v.code,
		Class:   v.class,
		EC2Code: v.ec2Code,
		Cure:    strings.ReplaceAll(v.cure, "{action}", v.action),
	}
	r.Text = fmt.Sprintf("%s %s: %s.", v.lead, v.doing(addr), v.quote())
	return r
}

// quote is what was said, with EC2's error code.
func (v verdict) quote() string {
	if v.ec2Code == "" {
		return v.said
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%s)", v.said, v.ec2Code))
}

// doing is what was asked, as the sentence's verb.
func (v verdict) doing(addr netip.Addr) string {
	switch {
	case v.table != "" && v.verb == Release:
		return fmt.Sprintf("delete the route to %s in %s", addr, v.table)
	case v.table != "" && v.verb != 0:
		return fmt.Sprintf("lead %s in %s to %s", addr, v.table, v.eni)
	case v.table != "" && addr.IsValid():
		return fmt.Sprintf("look up the route to %s in %s", addr, v.table)
	case v.table != "":
		return "describe " + v.table
	case v.verb == Release:
		return fmt.Sprintf("unassign %s from %s", addr, v.eni)
	case v.verb != 0:
		return fmt.Sprintf("assign %s to %s", addr, v.eni)
	case v.eni != "":
		return "describe " + v.eni
	default:
		return "describe network interfaces"
	}
}
