// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"path"
	"strings"
)

// A rule is one row of the table of EC2's errors.
type rule struct {
	// codes are error codes, in any case; "*" in one stands for anything. None: any.
	codes []string
	// text is in the message, in lower case; "" is in any. It is used where
	// one code (InvalidParameterValue) means a dozen things.
	text string

	code  Code
	class Class
	scope scope
	// cure may contain {action}.
	cure string
}

func (r rule) matches(code, message string) bool {
	if r.text != "" && !strings.Contains(strings.ToLower(message), r.text) {
		return false
	}
	code = strings.ToLower(code)
	for _, c := range r.codes {
		if ok, err := path.Match(strings.ToLower(c), code); ok && err == nil {
			return true
		}
	}
	return len(r.codes) == 0
}

// rules are the errors of EC2 and what they mean; the first that matches wins.
// Sources: the EC2 API reference (error codes), amazon-vpc-cni-k8s (limits,
// cool-down), public issues (texts). The rules without a code are for texts
// that are known and whose codes are not, or not surely.
func rules() []rule {
	return []rule{
		{codes: []string{"RequestLimitExceeded", "Throttling*", "Throttled*", "EC2ThrottledException", "RequestThrottled*", "TooManyRequests*", "SlowDown"},
			code: EC2Throttled, class: Transient},
		{codes: []string{"InternalError", "InternalFailure", "InternalServerError", "ServerInternal", "Unavailable", "ServiceUnavailable", "RequestTimeout"},
			code: EC2Unavailable, class: Transient},

		{codes: []string{"UnauthorizedOperation", "AccessDenied*", "NotAuthorized*"},
			code: NotAuthorized, class: Denied, cure: cureNotAuthorized},
		{codes: []string{"OptInRequired", "Blocked", "PendingVerification"}, code: NotAuthorized, class: Denied, cure: cureAccount},
		// The next call has new ones, if their source has: soon.
		{codes: []string{"ExpiredToken*"}, code: CredentialsExpired, class: Transient, cure: cureExpired},
		// Of both causes, and the SDK has set its clock by the answer.
		// Source: aws-sdk-go-v2 issue 1674, aws-sdk-java issue 1443.
		{codes: []string{"RequestExpired"}, code: RequestExpired, class: Transient, cure: cureRequestExpired},
		{codes: []string{"AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClient*", "MissingAuthenticationToken*", "IncompleteSignature", "InvalidAccessKeyId"},
			code: CredentialsInvalid, class: Denied, cure: cureInvalid},
		{text: "must contain the parameter awsaccesskeyid", code: CredentialsMissing, class: Denied, cure: cureMissing},
		{codes: []string{"RequestTimeTooSkewed", "RequestInTheFuture"},
			code: ClockSkew, class: Denied, cure: cureClock},

		// Before the codes: that of the second one is not known.
		{text: "not assigned to interface", code: UnknownRefusal, class: Permanent, scope: notThere},
		{text: "is not mapped to interface", code: UnknownRefusal, class: Permanent, scope: notThere},
		{codes: []string{"InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterface.NotFound"},
			code: ENINotFound, class: Gone, cure: cureENINotFound},
		{codes: []string{"IncorrectState", "IncorrectInstanceState", "ConcurrentModification*"},
			code: ENINotReady, class: Transient},
		// PrivateIpAddressLimitExceeded; IPv6 has no documented code of its own for a full ENI.
		{codes: []string{"*Address*LimitExceeded", "*Ipv6*LimitExceeded", "InterfaceIpv6*"},
			code: ENIFull, class: Permanent, scope: eniFull, cure: cureENIFull},
		{text: "addresses will exceed limit", code: ENIFull, class: Permanent, scope: eniFull, cure: cureENIFull},
		{codes: []string{"InsufficientFreeAddressesInSubnet", "InsufficientCidrBlocks", "InsufficientAddress*"},
			code: SubnetFull, class: Cooldown, cure: cureSubnetFull},
		{text: "sufficient free ipv", code: SubnetFull, class: Cooldown, cure: cureSubnetFull},

		{text: "primary ip address of an interface cannot be unassigned", code: AddressIsPrimary, class: Permanent, scope: oneAddress, cure: curePrimaryRelease},
		{text: "but move is not allowed", code: AddressContested, class: Contested, scope: maybeOwned, cure: CureContested},
		{text: "address is already in use", code: AddressContested, class: Contested, scope: maybeOwned, cure: CureContested},
		{codes: []string{"InvalidIPAddress.InUse", "InvalidAddress.InUse", "ResourceInUse*"}, code: AddressContested, class: Contested, scope: maybeOwned, cure: CureContested},
		{text: "secondary-addresses", code: AddressIsPrimary, class: Permanent, scope: maybeOwned, cure: curePrimary},
		{text: "does not fall within", code: AddressOutsideSubnet, class: Permanent, scope: oneAddress, cure: cureOutside},
		{text: "does not have an ipv6 cidr block", code: AddressOutsideSubnet, class: Permanent, scope: oneAddress, cure: cureOutside},
		{text: "reserved address range", code: AddressReserved, class: Permanent, scope: oneAddress, cure: cureReserved},
		// The wording is not known: it is only clear that it must speak of a prefix.
		{codes: []string{"InvalidParameter*"}, text: "prefix", code: AddressInOtherPrefix, class: Permanent, scope: inPrefix, cure: cureOtherPrefix},

		// Not about an address: no smaller request would fare better.
		{codes: []string{"InvalidNetworkInterfaceID.Malformed", "OperationNotPermitted", "UnsupportedOperation", "Unsupported", "InvalidAction", "UnknownParameter", "MissingParameter", "DryRunOperation"},
			code: UnknownRefusal, class: Permanent, cure: cureUnknown},
	}
}

// routeRules are the errors of the actions on routes, and go before the rules.
// Sources: the EC2 API reference (error codes); moto 6425, where somebody asked
// the real EC2: ReplaceRoute of a missing route is an InvalidParameterValue, not
// the InvalidRoute.NotFound that DeleteRoute answers with. The texts about VPCs
// are not documented.
func routeRules() []rule {
	return []rule{
		{codes: []string{"InvalidRoute.NotFound"}, code: RouteChanged, class: Transient, scope: routeMissing},
		{text: "there is no route defined for", code: RouteChanged, class: Transient, scope: routeMissing},
		{codes: []string{"RouteAlreadyExists"}, code: RouteChanged, class: Transient, scope: routeThere},
		{codes: []string{"InvalidRouteTableID.*", "InvalidRouteTableId.*"},
			code: RouteTableNotFound, class: Permanent, scope: allGone, cure: cureRouteTable},
		{codes: []string{"RouteLimitExceeded"}, code: RouteTableFull, class: Permanent, cure: cureRouteTableFull},
		{text: "belong to different networks", code: RouteTableOtherVPC, class: Permanent, cure: cureRouteTableOtherVPC},
		// A route inside of the VPC must match a whole subnet; how EC2 says so of an
		// ENI as target is not documented.
		{text: "more specific than one of this vpc", code: RouteInsideVPC, class: Permanent, cure: cureRouteInsideVPC},
		{codes: []string{"InvalidParameter*"}, text: "subnet", code: RouteInsideVPC, class: Permanent, cure: cureRouteInsideVPC},
		// Whatever else is wrong with a parameter is not about an address of an ENI.
		{codes: []string{"InvalidParameter*"}, code: UnknownRefusal, class: Permanent, cure: cureUnknown},
	}
}

// CureContested is what helps where AddressContested is the reason.
const CureContested = "Make sure that only one pod holds the address; it is claimed again after a hold-down."

// The cures. Each is one sentence to a platform engineer.
const (
	cureNotAuthorized      = "Allow ec2:{action} in a policy of the role that this pod uses; a new policy needs up to a minute."
	cureAccount            = "Have AWS Support lift the restriction of the account."
	cureExpired            = "Check that the source of the credentials (IRSA, EKS Pod Identity, instance role) still renews them."
	cureRequestExpired     = "If it lasts, check that the source of the credentials (IRSA, EKS Pod Identity, instance role) still renews them, and the worker's clock."
	cureInvalid            = "Give the pod valid credentials of this account: IRSA, EKS Pod Identity or the worker's instance role; where they are, look at the worker's clock."
	cureMissing            = "Give the pod credentials: IRSA or EKS Pod Identity by its service account, or the worker's instance role, which needs IMDS to be reachable from the pod."
	cureSTS                = "Check that the pod reaches the source of its credentials (the STS endpoint of the Region, or the Pod Identity agent)."
	cureClock              = "Set the worker's clock, with chrony from 169.254.169.123 for example."
	cureRegion             = "Set AWS_REGION in the container's environment."
	cureUnreachable        = "Give the pod a way to the EC2 endpoint: DNS, a route by NAT or an interface endpoint for EC2, and security groups that let port 443 pass."
	cureENINotFound        = "Attach the ENI to the worker again; where another one took its place, that one is looked up without your help."
	cureENIFull            = "Remove addresses from the ENI, delegate a prefix to it, or use an instance type with more addresses per interface."
	cureSubnetFull         = "Free addresses in the subnet or use a larger one; a new try is made after two minutes."
	curePrimary            = "Take the address out of the range of the NetworkAttachmentDefinition or replace that instance, and make a subnet CIDR reservation of type explicit for the range, so that AWS does not hand its addresses out."
	curePrimaryRelease     = "A primary address stays with its ENI: take it out of the range of the NetworkAttachmentDefinition."
	cureOutside            = "Make the range of the NetworkAttachmentDefinition part of the subnet of the ENI below it, or name the right master interface there."
	cureReserved           = "Exclude the first four and the last address of the subnet from the range of the NetworkAttachmentDefinition."
	cureOtherPrefix        = "Keep the range of the NetworkAttachmentDefinition and the delegated prefixes apart, with subnet CIDR reservations of type explicit and prefix."
	cureRouteTable         = "Name route tables that exist in this account and Region (rtb-…)."
	cureRouteTableOtherVPC = "Name route tables of the VPC that the ENI is in."
	cureRouteInsideVPC     = "Choose a floating IP outside of all CIDR blocks of the VPC, or one of the ENI's subnet and no route tables."
	cureRouteTableFull     = "Delete routes that nobody needs, or have the VPC quota \"routes per route table\" raised."
	cureUnknown            = "Look the error code up in the EC2 API reference; until the cause is removed this is tried again slowly."
)
