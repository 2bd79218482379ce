// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

var (
	addrType     = reflect.TypeFor[netip.Addr]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
	addrPortType = reflect.TypeFor[netip.AddrPort]()
	durationType = reflect.TypeFor[time.Duration]()
)

// scalar says whether values of t are written as one word.
func scalar(t reflect.Type) bool {
	switch t {
	case addrType, prefixType, addrPortType, durationType:
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int:
		return true
	default:
		return false
	}
}

// scalar decodes one word into v.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(n, path, "here a single value is wanted", "remove the brackets, or the list")
		return
	}
	text := n.Value
	if text == "" && v.Kind() == reflect.Struct {
		return // an empty address is none
	}
	var got any
	var err error
	var cure string
	switch v.Type() {
	case addrType:
		got, err = netip.ParseAddr(text)
		cure = "write an address such as 10.0.1.11 or 2001:db8::1, without a prefix length"
	case prefixType:
		got, err = netip.ParsePrefix(text)
		cure = "write an address with its prefix length, such as 10.0.1.0/24 or 2001:db8::/64"
	case addrPortType:
		got, err = netip.ParseAddrPort(text)
		cure = "write address:port, such as 192.0.2.10:80"
	case durationType:
		got, err = time.ParseDuration(text)
		cure = "write a number with its unit, such as 100ms or 30s"
	default:
		got, err = word(v.Kind(), text)
		cure = "write " + map[reflect.Kind]string{reflect.Bool: "true or false", reflect.Int: "a whole number"}[v.Kind()]
	}
	if err != nil {
		d.wrong(n, path, fmt.Sprintf("%q cannot be read", text), cure)
		return
	}
	v.Set(reflect.ValueOf(got))
}

func word(k reflect.Kind, text string) (any, error) {
	switch k {
	case reflect.Bool:
		return strconv.ParseBool(text)
	case reflect.Int:
		return strconv.Atoi(text)
	default:
		return text, nil
	}
}
