// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// An Error is EC2's refusal of a call.
type Error struct {
	// Code is EC2's error code, such as "InvalidParameterValue".
	Code string
	// Message is the sentence that goes with it.
	Message string
	// HTTPStatus is the status of the answer.
	HTTPStatus int
}

// Error is the code and the message, as the SDKs print them.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// ErrDropped is returned when a fault says that the connection is to be
// closed without an answer. The call may or may not have been carried out.
var ErrDropped = errors.New("connection dropped by an injected fault")

// Codes of EC2's errors. Source: EC2 API reference, error codes.
const (
	CodeAuthFailure           = "AuthFailure"
	CodeDryRun                = "DryRunOperation"
	CodeENINotFound           = "InvalidNetworkInterfaceID.NotFound"
	CodeENIMalformed          = "InvalidNetworkInterfaceId.Malformed"
	CodeFilterLimit           = "FilterLimitExceeded"
	CodeIncorrectState        = "IncorrectState"
	CodeInstanceTypeInvalid   = "InvalidInstanceType"
	CodeInsufficientAddresses = "InsufficientFreeAddressesInSubnet"
	CodeInsufficientBlocks    = "InsufficientCidrBlocks"
	CodeInternal              = "InternalError"
	CodeInvalidCombination    = "InvalidParameterCombination"
	CodeInvalidID             = "InvalidID"
	CodeInvalidParameter      = "InvalidParameterValue"
	CodeLimitExceeded         = "PrivateIpAddressLimitExceeded"
	CodeMissingParameter      = "MissingParameter"
	CodeRequestExpired        = "RequestExpired"
	CodeReservationConflict   = "InvalidCidrReservation.Conflict"
	CodeRouteExists           = "RouteAlreadyExists"
	CodeRouteLimit            = "RouteLimitExceeded"
	CodeRouteNotFound         = "InvalidRoute.NotFound"
	CodeRouteTableMalformed   = "InvalidRouteTableId.Malformed"
	CodeRouteTableNotFound    = "InvalidRouteTableID.NotFound"
	CodeSubnetNotFound        = "InvalidSubnetID.NotFound"
	CodeThrottled             = "RequestLimitExceeded"
	CodeUnauthorized          = "UnauthorizedOperation"
	CodeUnavailable           = "Unavailable"
)

// StatusOf is the HTTP status that EC2 sends with a code.
func StatusOf(code string) int {
	switch code {
	case CodeUnauthorized:
		return http.StatusForbidden
	case CodeAuthFailure:
		return http.StatusUnauthorized
	case CodeDryRun:
		return http.StatusPreconditionFailed
	case CodeInternal:
		return http.StatusInternalServerError
	case CodeThrottled, CodeUnavailable, "ServiceUnavailable", "EC2ThrottledException", "Throttling", "ThrottlingException":
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// Refuse returns the Error with a code and a message made as fmt does.
func Refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), HTTPStatus: StatusOf(code)}
}

// Sentences that clients see, word for word as AWS was seen to write them.
const (
	textNoPermission = "You are not authorized to perform this operation."
	textDryRun       = "Request would have succeeded, but DryRun flag is set."
	textThrottled    = "Request limit exceeded."
	textLimit        = "Number of private addresses will exceed limit."
	textPrimaryMove  = "secondary-addresses"
	textPrimaryStays = "The primary IP address of an interface cannot be unassigned"
	textOutside      = "Address does not fall within the subnet's address range"
)

func errDryRun() *Error { return Refuse(CodeDryRun, textDryRun) }

func errENINotFound(id string) *Error {
	return Refuse(CodeENINotFound, "The networkInterface ID '%s' does not exist", id)
}

func errSubnetNotFound(id string) *Error {
	return Refuse(CodeSubnetNotFound, "The subnet ID '%s' does not exist", id)
}

func errMissing(parameter string) *Error {
	return Refuse(CodeMissingParameter, "The request must contain the parameter %s", parameter)
}

func errMoveNotAllowed(addrs []netip.Addr) *Error {
	return Refuse(CodeInvalidParameter, "[%s] assigned, but move is not allowed.", join(addrs))
}

func errReserved(a netip.Addr) *Error {
	return Refuse(CodeInvalidParameter, "Address %s is in subnet's reserved address range", a)
}

func errNotAssigned(eni string) *Error {
	return Refuse(CodeInvalidParameter, "Some of the specified addresses are not assigned to interface %s", eni)
}

// join lists values as EC2 does, between commas and spaces.
func join[T fmt.Stringer](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}
