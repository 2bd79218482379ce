// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

// The codes of reasons. Each has a line in the troubleshooting pages.
const (
	// EC2Throttled: the account's request bucket for this action is empty.
	EC2Throttled Code = "EC2Throttled"
	// EC2Unavailable: EC2 answered with a fault of its own (5xx).
	EC2Unavailable Code = "EC2Unavailable"
	// EC2Unreachable: no connection to the EC2 endpoint; nothing was sent.
	EC2Unreachable Code = "EC2Unreachable"
	// EC2NoAnswer: a request was sent and no usable answer came back.
	EC2NoAnswer Code = "EC2NoAnswer"
	// EC2NotAcknowledged: EC2 accepted the request and did not list the address.
	EC2NotAcknowledged Code = "EC2NotAcknowledged"
	// RequestCanceled: the caller's context ended first.
	RequestCanceled Code = "RequestCanceled"
	// RequestPostponed: one Do has used its requests up; the next one goes on.
	RequestPostponed Code = "RequestPostponed"

	// NotAuthorized: IAM does not allow the action.
	NotAuthorized Code = "NotAuthorized"
	// CredentialsMissing: the SDK found no credentials.
	CredentialsMissing Code = "CredentialsMissing"
	// CredentialsInvalid: AWS does not know the credentials, or not for this.
	CredentialsInvalid Code = "CredentialsInvalid"
	// CredentialsExpired: the token has run out and was not renewed.
	CredentialsExpired Code = "CredentialsExpired"
	// CredentialsUnavailable: the source of credentials did not answer.
	CredentialsUnavailable Code = "CredentialsUnavailable"
	// RequestExpired: EC2's word for credentials that have run out, and for a clock
	// that is minutes off.
	RequestExpired Code = "RequestExpired"
	// ClockSkew: this machine's clock is too far from AWS's.
	ClockSkew Code = "ClockSkew"
	// RegionMissing: the SDK knows no Region.
	RegionMissing Code = "RegionMissing"

	// ENIFull: the ENI has as many addresses as its instance type allows.
	ENIFull Code = "ENIFull"
	// ENINotFound: EC2 does not know the ENI (any more).
	ENINotFound Code = "ENINotFound"
	// ENINotReady: the ENI is in a state that does not allow this now.
	ENINotReady Code = "ENINotReady"
	// SubnetFull: the subnet has no free address or prefix now.
	SubnetFull Code = "SubnetFull"

	// AddressIsPrimary: the address is the primary one of an ENI.
	AddressIsPrimary Code = "AddressIsPrimary"
	// AddressOutsideSubnet: the ENI's subnet does not contain the address.
	AddressOutsideSubnet Code = "AddressOutsideSubnet"
	// AddressReserved: the first four and the last of a subnet are AWS's.
	AddressReserved Code = "AddressReserved"
	// AddressContested: another ENI holds the address.
	AddressContested Code = "AddressContested"
	// AddressInOtherPrefix: the address is inside a prefix that is delegated
	// to another ENI, and cannot move alone.
	AddressInOtherPrefix Code = "AddressInOtherPrefix"
	// AddressInvalid: not an address that EC2 could be asked for.
	AddressInvalid Code = "AddressInvalid"

	// SourceDestCheckOn: the ENI's source/destination check would drop what a
	// route leads to it.
	SourceDestCheckOn Code = "SourceDestCheckOn"
	// RouteTableNotFound: EC2 does not know the route table.
	RouteTableNotFound Code = "RouteTableNotFound"
	// RouteTableOtherVPC: the route table is not in the ENI's VPC.
	RouteTableOtherVPC Code = "RouteTableOtherVPC"
	// RouteTableFull: the route table has as many routes as its quota allows.
	RouteTableFull Code = "RouteTableFull"
	// RouteInsideVPC: the address lies in a block of the VPC, which routes it itself.
	RouteInsideVPC Code = "RouteInsideVPC"
	// RouteChanged: the route came or went while it was being set.
	RouteChanged Code = "RouteChanged"

	// NoENI: no ENI of this worker lies below the address.
	NoENI Code = "NoENI"
	// AmbiguousENI: two ENIs could lie below the address.
	AmbiguousENI Code = "AmbiguousENI"
	// ENIRefusedPrimary: the ENI is the worker's primary one (device index 0).
	ENIRefusedPrimary Code = "ENIRefusedPrimary"
	// ENIRefusedManaged: the Amazon VPC CNI may manage the ENI.
	ENIRefusedManaged Code = "ENIRefusedManaged"

	// IMDSBlocked: no connection to IMDS.
	IMDSBlocked Code = "IMDSBlocked"
	// IMDSHopLimit: IMDS takes connections, but its token never arrives.
	IMDSHopLimit Code = "IMDSHopLimit"
	// IMDSFailed: IMDS answered, but not with what was asked for.
	IMDSFailed Code = "IMDSFailed"

	// UnknownRefusal: EC2 refused (4xx) for a reason not listed here.
	UnknownRefusal Code = "UnknownRefusal"
	// UnknownError: anything else.
	UnknownError Code = "UnknownError"
)

// Codes lists every code, for the checks of documentation and metrics.
func Codes() []Code {
	return []Code{
		EC2Throttled, EC2Unavailable, EC2Unreachable, EC2NoAnswer, EC2NotAcknowledged,
		RequestCanceled, RequestPostponed,
		NotAuthorized, CredentialsMissing, CredentialsInvalid, CredentialsExpired,
		CredentialsUnavailable, RequestExpired, ClockSkew, RegionMissing,
		ENIFull, ENINotFound, ENINotReady, SubnetFull,
		AddressIsPrimary, AddressOutsideSubnet, AddressReserved, AddressContested,
		AddressInOtherPrefix, AddressInvalid,
		SourceDestCheckOn, RouteTableNotFound, RouteTableOtherVPC, RouteTableFull, RouteInsideVPC, RouteChanged,
		NoENI, AmbiguousENI, ENIRefusedPrimary, ENIRefusedManaged,
		IMDSBlocked, IMDSHopLimit, IMDSFailed,
		UnknownRefusal, UnknownError,
	}
}
