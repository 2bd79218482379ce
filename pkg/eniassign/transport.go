// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// identityPrefix is how the SDK begins the error of a failed look-up of
// credentials (service/ec2, auth.go); it has no type.
const identityPrefix = "get identity: "

// judgeCredentials judges errors of the credential chain, which the SDK runs
// inside of the first request and again when the credentials expire.
func judgeCredentials(err error) (rule, string, bool) {
	var op *smithy.OperationError
	if !errors.As(err, &op) || op.ServiceID != ec2.ServiceID || op.Err == nil ||
		!strings.HasPrefix(op.Err.Error(), identityPrefix) {
		return rule{}, "", false
	}
	said := oneLine(strings.TrimPrefix(op.Err.Error(), identityPrefix))
	missing := rule{code: CredentialsMissing, class: Denied, cure: cureMissing}
	var inner *smithy.OperationError
	if !errors.As(op.Err, &inner) || inner.ServiceID == imds.ServiceID {
		switch {
		case errors.Is(err, context.Canceled):
			return rule{code: RequestCanceled, class: Transient}, said, true
		case inner != nil && silent(inner.Err):
			missing.class = Transient // a worker that has just booted, with all its pods at once
		}
		return missing, said, true
	}
	// STS, Pod Identity or SSO was asked.
	var api smithy.APIError
	errors.As(inner.Err, &api)
	switch {
	case silent(inner.Err):
		return rule{code: CredentialsUnavailable, class: Transient, cure: cureSTS}, said, true
	case api != nil && strings.HasPrefix(api.ErrorCode(), "Throttl"):
		return rule{code: CredentialsUnavailable, class: Transient, cure: cureSTS}, said, true
	case api != nil && strings.HasPrefix(api.ErrorCode(), "Expired"):
		return rule{code: CredentialsExpired, class: Denied, cure: cureExpired}, said, true
	default:
		return rule{code: CredentialsInvalid, class: Denied, cure: cureInvalid}, said, true
	}
}

// silent says that a source of credentials gave no answer of its own: none at all,
// or that it is overloaded or broken.
func silent(err error) bool {
	var api smithy.APIError
	status := httpStatus(err)
	return !errors.As(err, &api) && status < 400 || status >= 500 || status == 429
}

// judgeTransport judges errors that are not EC2's answer. A request that may
// have left this machine is in doubt.
func judgeTransport(err error, v *verdict) {
	v.said = oneLine(innermost(err).Error())
	var (
		dial *net.OpError
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		ca   x509.UnknownAuthorityError
		gone *smithy.CanceledError
		des  *smithy.DeserializationError
	)
	status := httpStatus(err)
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &gone):
		v.lead, v.inDoubt = "The caller gave up the request to", true
		v.rule = rule{code: RequestCanceled, class: Transient}
	case strings.Contains(err.Error(), "Missing Region"):
		v.lead = "No EC2 endpoint is known to"
		v.rule = rule{code: RegionMissing, class: Permanent, cure: cureRegion}
	case errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &ca),
		errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &dial) && (dial.Op == "dial" || dial.Op == "proxyconnect"),
		strings.Contains(err.Error(), "TLS handshake timeout"): // net/http keeps its type to itself
		v.lead = "EC2 could not be reached to"
		v.rule = rule{code: EC2Unreachable, class: Transient, cure: cureUnreachable}
	case status >= 500:
		v.said = fmt.Sprintf("HTTP status %d without an answer of EC2's", status)
		v.lead, v.inDoubt = "EC2 failed to", true
		v.rule = rule{code: EC2Unavailable, class: Transient}
	case status >= 400:
		v.said = fmt.Sprintf("HTTP status %d without an answer of EC2's", status)
		v.lead = "Something on the way to EC2 refused to"
		v.rule = rule{code: UnknownError, class: Transient, cure: cureUnreachable}
	case status > 0, errors.As(err, &des), isSend(err):
		v.lead, v.inDoubt = "EC2 gave no usable answer to the request to", true
		v.rule = rule{code: EC2NoAnswer, class: Transient, cure: cureUnreachable}
	default:
		v.lead, v.inDoubt = "An unknown error ended the request to", true
		v.rule = rule{code: UnknownError, class: Transient}
	}
}

// isSend says that err came up while a request was sent or its answer awaited.
func isSend(err error) bool {
	var send *smithyhttp.RequestSendError
	var timeout net.Error
	return errors.As(err, &send) || errors.As(err, &timeout)
}

// innermost strips what the SDK and net/http wrap around an error, all of
// which the sentence says already.
func innermost(err error) error {
	var u *url.Error
	if errors.As(err, &u) && u.Err != nil {
		return u.Err
	}
	var c *smithy.CanceledError
	if errors.As(err, &c) && c.Err != nil {
		return c.Err
	}
	var op *smithy.OperationError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err
	}
	return err
}
