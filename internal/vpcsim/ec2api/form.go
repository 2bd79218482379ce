// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// maxListIndex bounds the numbers of list parameters ("PrivateIpAddress.7").
const maxListIndex = 10_000

// A form is the parameters of a call. Its methods take parameters out; the
// first that cannot be read is kept as the form's error.
type form struct {
	params map[string]string
	used   map[string]bool
	err    *model.Error
}

// newForm keeps the first value of every parameter that is not part of the
// signature.
func newForm(values url.Values) *form {
	f := &form{params: map[string]string{}, used: map[string]bool{}}
	for name, vs := range values {
		if len(vs) > 0 && !strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			f.params[name] = vs[0]
		}
	}
	return f
}

func (f *form) fail(e *model.Error) {
	if f.err == nil {
		f.err = e
	}
}

// done returns what could not be read, a parameter that nobody asked for
// included.
func (f *form) done() *model.Error {
	var unknown []string
	for name := range f.params {
		if !f.used[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		f.fail(model.Refuse("UnknownParameter", "The parameter %s is not recognized", slices.Min(unknown)))
	}
	return f.err
}

func (f *form) text(name string) string {
	f.used[name] = true
	return f.params[name]
}

func (f *form) flag(name string) bool {
	switch text := f.text(name); text {
	case "", "false":
		return false
	case "true":
		return true
	default:
		f.fail(model.Refuse(model.CodeInvalidParameter, "Invalid value '%s' for parameter %s: expecting true or false", text, name))
		return false
	}
}

func (f *form) number(name string) int {
	text := f.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		f.fail(model.Refuse(model.CodeInvalidParameter, "Invalid value '%s' for parameter %s: expecting an integer", text, name))
	}
	return int(n)
}

// list is the values of name.1, name.2 and so on, in the order of the numbers.
func (f *form) list(name string) []string {
	var out []string
	for _, i := range f.indexes(name) {
		key := name + "." + strconv.Itoa(i)
		if _, ok := f.params[key]; ok {
			out = append(out, f.text(key))
		}
	}
	return out
}

// indexes are the numbers n of the parameters "name.n" and "name.n.…".
func (f *form) indexes(name string) []int {
	var all []int
	for key := range f.params {
		rest, ok := strings.CutPrefix(key, name+".")
		if !ok {
			continue
		}
		digits, _, _ := strings.Cut(rest, ".")
		i, err := strconv.Atoi(digits)
		if err != nil || strconv.Itoa(i) != digits || i < 1 || i > maxListIndex {
			continue // done will say that nobody knows it
		}
		all = append(all, i)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (f *form) addrs(name string) []netip.Addr {
	var out []netip.Addr
	for _, text := range f.list(name) {
		a, err := netip.ParseAddr(text)
		if err != nil {
			f.fail(model.Refuse(model.CodeInvalidParameter, "invalid value for parameter address: %s", text))
		}
		out = append(out, a)
	}
	return out
}

func (f *form) prefixes(name string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range f.list(name) {
		out = append(out, f.parsePrefix(text))
	}
	return out
}

func (f *form) prefix(name string) netip.Prefix {
	text := f.text(name)
	if text == "" {
		return netip.Prefix{}
	}
	return f.parsePrefix(text)
}

func (f *form) parsePrefix(text string) netip.Prefix {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		f.fail(model.Refuse(model.CodeInvalidParameter, "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text))
	}
	return p
}

// describe is what all Describe actions take; ids is the name of their list of
// ids.
func (f *form) describe(ids string) model.DescribeInput {
	in := model.DescribeInput{
		IDs:        f.list(ids),
		MaxResults: f.number("MaxResults"),
		NextToken:  f.text("NextToken"),
		DryRun:     f.flag("DryRun"),
	}
	if text, there := f.params["MaxResults"]; there && in.MaxResults <= 0 {
		f.fail(model.Refuse(model.CodeInvalidParameter, "Value ( %s ) for parameter maxResults is invalid.", text))
	}
	for _, i := range f.indexes("Filter") {
		p := "Filter." + strconv.Itoa(i)
		in.Filters = append(in.Filters, model.Filter{Name: f.text(p + ".Name"), Values: f.list(p + ".Value")})
	}
	return in
}

// tags are the pairs Tag.n.Key and Tag.n.Value; nil where there is no value.
func (f *form) tags() map[string]*string {
	out := map[string]*string{}
	for _, i := range f.indexes("Tag") {
		p := "Tag." + strconv.Itoa(i)
		key := f.text(p + ".Key")
		out[key] = nil
		if value, ok := f.params[p+".Value"]; ok {
			f.used[p+".Value"] = true
			out[key] = &value
		}
	}
	return out
}
