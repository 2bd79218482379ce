// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A Mode is how the registrar runs in a pod.
type Mode string

// The modes.
const (
	// ModeInit assigns the addresses once, before the application starts.
	ModeInit Mode = "init"
	// ModeSidecar follows them as long as the pod lives.
	ModeSidecar Mode = "sidecar"
	// modeFalse asks for no injection.
	modeFalse Mode = "false"
)

// Settings are what a pod's annotations say beside KeyInject. The zero value is
// a pod that says nothing.
type Settings struct {
	Interfaces  []string
	FloatingIPs []netip.Prefix
	RouteTables []string
	Release     string
	LogLevel    string
	Resources   Resources
}

// ParseSettings reads the project's annotations of a pod and tells all their
// faults at once: unknown keys and values that are not allowed.
func ParseSettings(annotations map[string]string) (Settings, []Finding) {
	var s Settings
	var faults []Finding
	var keys []string
	for key := range annotations {
		if ours(key) && key != KeyInject {
			keys = append(keys, key)
		}
	}
	if len(keys) > maxOurs {
		return s, []Finding{{ReasonUnknownAnnotation, fmt.Sprintf("the pod has %d annotations that begin with %s: there are only %d keys", len(keys), Prefix, len(Keys()))}}
	}
	slices.Sort(keys)
	for _, key := range keys {
		reason, err := s.set(key, annotations[key])
		if err != nil {
			faults = append(faults, Finding{reason, fmt.Sprintf("annotation %.*s %v", maxKey, key, err)})
		}
	}
	return s, faults
}

// set takes the value of one annotation.
func (s *Settings) set(key, value string) (Reason, error) {
	var err error
	switch key {
	case KeyInterfaces:
		s.Interfaces, err = list(value, checkInterface)
	case KeyFloatingIPs:
		s.FloatingIPs, err = list(value, parseFloating)
	case KeyRouteTables:
		s.RouteTables, err = list(value, checkRouteTable)
	case KeyRelease:
		s.Release, err = oneOf(value, "always", "never")
	case KeyLogLevel:
		s.LogLevel, err = oneOf(value, "debug", "info", "warn", "error")
	case KeyResources:
		s.Resources, err = ParseResources(value)
	case KeyStatus:
		err = fmt.Errorf("is written by the webhook: remove it")
	default:
		return ReasonUnknownAnnotation, unknownKey(key)
	}
	if err != nil {
		return ReasonBadValue, err
	}
	return "", nil
}

func unknownKey(key string) error {
	var names []string
	for _, k := range Keys() {
		if k.Name != KeyStatus {
			names = append(names, strings.TrimPrefix(k.Name, Prefix))
		}
	}
	if near := nearest(strings.TrimPrefix(key, Prefix), names); near != "" {
		return fmt.Errorf("does not exist: did you mean %s%s?", Prefix, near)
	}
	return fmt.Errorf("does not exist: choose one of %s", strings.Join(names, ", "))
}

// oneOf accepts one of some words.
func oneOf(value string, words ...string) (string, error) {
	if err := fits(value); err != nil {
		return "", err
	}
	if slices.Contains(words, value) {
		return value, nil
	}
	choice := strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	if near := nearest(strings.ToLower(strings.TrimSpace(value)), words); near != "" {
		return "", fmt.Errorf("is %s: did you mean %q? Choose %s", quote(value), near, choice)
	}
	return "", fmt.Errorf("is %s: choose %s", quote(value), choice)
}

// list reads values that commas separate; each once, in their order.
func list[T comparable](text string, parse func(string) (T, error)) ([]T, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("is empty: remove it or fill it")
	}
	if err := fits(text); err != nil {
		return nil, err
	}
	if n := 1 + strings.Count(text, ","); n > maxItems {
		return nil, fmt.Errorf("has %d items: %d are allowed", n, maxItems)
	}
	var out []T
	for item := range strings.SplitSeq(text, ",") {
		v, err := parse(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// checkInterface accepts what can be an interface's name.
// Source: dev_valid_name in the kernel.
func checkInterface(name string) (string, error) {
	if name == "" || len(name) > 15 || name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n\v\f\r") {
		return "", fmt.Errorf("has %s, which cannot be an interface's name (1 to 15 characters, no '/', ':' or space)", quote(name))
	}
	return name, nil
}

// checkRouteTable accepts the two lengths of identifiers that EC2 has.
// Source: Amazon EC2 user guide, "Resource IDs".
func checkRouteTable(id string) (string, error) {
	hex, ok := strings.CutPrefix(id, "rtb-")
	if !ok || len(hex) != 8 && len(hex) != 17 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", fmt.Errorf("has %s, which is no route table ID (rtb- and 8 or 17 hexadecimal digits)", quote(id))
	}
	return id, nil
}

// parseFloating accepts an address, or a prefix without host bits.
func parseFloating(text string) (netip.Prefix, error) {
	const want = "(addresses such as 10.0.1.50, prefixes such as 10.0.1.48/28, IPv4 or IPv6)"
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, errAddr := netip.ParseAddr(text)
		if errAddr != nil || a.Zone() != "" {
			return p, fmt.Errorf("has %s, which is no address %s", quote(text), want)
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	a := p.Addr()
	switch {
	case p != p.Masked():
		return p, fmt.Errorf("has %s, which is an address of the prefix %s: write one or the other", quote(text), p.Masked())
	case a.Is4In6():
		return p, fmt.Errorf("has %s: write it as IPv4, %s", quote(text), a.Unmap())
	case p.Bits() == 0 || a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a.IsLinkLocalUnicast():
		return p, fmt.Errorf("has %s, which cannot float: unspecified, loopback, link-local and multicast addresses do not", quote(text))
	}
	return p, nil
}
