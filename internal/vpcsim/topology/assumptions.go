// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package topology

// Assumptions are the questions about EC2 that no public source settles. Each
// field is one question, and each outcome can be selected, so that clients can
// be tested against all of them. In messages "{address}" and "{eni}" stand for
// the address and the ENI of the request, "{owner}" for the ENI that holds it.
//
// An empty string is the default, the likelier outcome. A yes/no question is a
// bool that is false in the likelier outcome.
type Assumptions struct {
	// IPv6OwnedElsewhereCode and …Message: AssignIpv6Addresses of an address
	// that another ENI holds. Default InvalidParameterValue.
	IPv6OwnedElsewhereCode    string `yaml:"ipv6-owned-elsewhere-code"`
	IPv6OwnedElsewhereMessage string `yaml:"ipv6-owned-elsewhere-message"`
	// IPv6NotMappedCode: UnassignIpv6Addresses of an address that the ENI does
	// not have. Default InvalidParameterValue. The text is known.
	IPv6NotMappedCode string `yaml:"ipv6-not-mapped-code"`
	// InPrefixCode and …Message: assigning an address that lies inside a
	// prefix which is delegated to another ENI. Default InvalidParameterValue.
	InPrefixCode    string `yaml:"in-prefix-code"`
	InPrefixMessage string `yaml:"in-prefix-message"`
	// OwnPrefixAccepted: assigning an address inside the ENI's own delegated
	// prefix succeeds and changes nothing. Otherwise it is refused like one in
	// another ENI's.
	OwnPrefixAccepted bool `yaml:"own-prefix-accepted"`
	// IPv6LimitCode and …Message: more IPv6 addresses than the ENI may have.
	// Default as for IPv4, PrivateIpAddressLimitExceeded.
	IPv6LimitCode    string `yaml:"ipv6-limit-code"`
	IPv6LimitMessage string `yaml:"ipv6-limit-message"`
	// IPv6SameENIRefused: AssignIpv6Addresses of an address that is already on
	// the same ENI is refused as if it were owned elsewhere. Otherwise it is
	// accepted, as IPv4 is.
	IPv6SameENIRefused bool `yaml:"ipv6-same-eni-refused"`
	// IPv4SameENIRefused: AssignPrivateIpAddresses without AllowReassignment
	// of an address already on the same ENI is refused as a move that is not
	// allowed. Otherwise it is accepted, as it is with AllowReassignment.
	IPv4SameENIRefused bool `yaml:"ipv4-same-eni-refused"`
	// LimitCountsPresent: addresses of a request that are already on the ENI
	// count against its limit a second time.
	LimitCountsPresent bool `yaml:"limit-counts-present"`
	// AckListsNewOnly: the answer to a call that assigns addresses does not list
	// those that were on the ENI before. Otherwise it lists all that it named.
	AckListsNewOnly bool `yaml:"ack-lists-new-only"`
	// PrimaryHidesBehindMove: without AllowReassignment, the primary of
	// another ENI is refused with "move is not allowed". Otherwise with
	// "secondary-addresses", as it is with AllowReassignment.
	PrimaryHidesBehindMove bool `yaml:"primary-hides-behind-move"`
	// DescribeByIDFiltered: a Describe by ids, without filter or pagination,
	// draws from the larger token bucket. Otherwise from the smaller one.
	DescribeByIDFiltered bool `yaml:"describe-by-id-filtered"`
	// ReplaceMissingRouteCode: ReplaceRoute of a route that is not there. Default
	// InvalidParameterValue. The text is known.
	ReplaceMissingRouteCode string `yaml:"replace-missing-route-code"`
	// DryRunValidates: a dry run of a route action is refused for what the real
	// call would be refused for. Otherwise for missing permissions only.
	DryRunValidates bool `yaml:"dry-run-validates"`
	// BlackholeNamesNoENI: a route whose ENI was deleted does not name it any
	// more. Otherwise it does.
	BlackholeNamesNoENI bool `yaml:"blackhole-names-no-eni"`
	// PingCloses: an unsigned request without an action is refused, and its
	// connection closed. Otherwise it is answered, and stays open.
	PingCloses bool `yaml:"ping-closes"`
	// RefusedCallsCost: a throttled call takes what its bucket has of a token,
	// so that clients which call too often get nothing at all. Otherwise it
	// takes nothing.
	RefusedCallsCost bool `yaml:"refused-calls-cost"`
}

// Defaults of the assumptions' codes and messages.
const (
	defaultRefusal            = "InvalidParameterValue"
	defaultOwnedElsewhereText = "The address '{address}' is already assigned to another network interface."
	defaultInPrefixText       = "The address {address} is within a prefix that is assigned to a network interface."
	defaultIPv6LimitCode      = "PrivateIpAddressLimitExceeded"
	defaultIPv6LimitText      = "Number of IPv6 addresses will exceed limit."
)

// WithDefaults returns a with every empty code and message filled in.
func (a Assumptions) WithDefaults() Assumptions {
	fill := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	fill(&a.IPv6OwnedElsewhereCode, defaultRefusal)
	fill(&a.IPv6OwnedElsewhereMessage, defaultOwnedElsewhereText)
	fill(&a.IPv6NotMappedCode, defaultRefusal)
	fill(&a.InPrefixCode, defaultRefusal)
	fill(&a.InPrefixMessage, defaultInPrefixText)
	fill(&a.ReplaceMissingRouteCode, defaultRefusal)
	fill(&a.IPv6LimitCode, defaultIPv6LimitCode)
	fill(&a.IPv6LimitMessage, defaultIPv6LimitText)
	return a
}
