// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
)

// roundTripper is an EC2 endpoint inside of the process.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func xmlError(code, message string) string {
	return fmt.Sprintf("<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>r</RequestID></Response>", code, message)
}

func testConfig(rt http.RoundTripper) aws.Config {
	cfg := aws.Config{
		Region: "eu-central-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	}
	if rt != nil {
		cfg.HTTPClient = &http.Client{Transport: rt}
	}
	return cfg
}

const assigned = `<AssignPrivateIpAddressesResponse><requestId>r</requestId><networkInterfaceId>eni-a</networkInterfaceId>
<assignedPrivateIpAddressesSet><item><privateIpAddress>10.0.1.40</privateIpAddress></item></assignedPrivateIpAddressesSet></AssignPrivateIpAddressesResponse>`

// TestClockIsSetByEC2: a clock that is minutes off is AuthFailure at first. The
// SDK sets it right by the answer's Date, so that the next request may follow soon;
// without a difference it is what it says.
func TestClockIsSetByEC2(t *testing.T) {
	for _, tt := range []struct {
		code string
		off  time.Duration
		want [2]Code // of two calls
		last Class
	}{
		{"AuthFailure", 20 * time.Minute, [2]Code{ClockSkew, CredentialsInvalid}, Denied},
		{"SignatureDoesNotMatch", -20 * time.Minute, [2]Code{ClockSkew, CredentialsInvalid}, Denied},
		{"RequestTimeTooSkewed", 20 * time.Minute, [2]Code{ClockSkew, ClockSkew}, Denied},
		{"AuthFailure", 0, [2]Code{CredentialsInvalid, CredentialsInvalid}, Denied},
	} {
		t.Run(fmt.Sprint(tt.code, tt.off), func(t *testing.T) {
			ec2sNow := time.Now().Add(tt.off)
			var signed []time.Time
			c := &Client{EC2: NewEC2(testConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
				at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				signed = append(signed, at)
				a, _ := answer(401, xmlError(tt.code, "AWS was not able to validate the provided access credentials"))(r)
				a.Header.Set("Date", ec2sNow.UTC().Format(http.TimeFormat))
				return a, err
			})))}
			for i, want := range tt.want {
				class := tt.last
				if i == 0 && tt.off != 0 {
					class = Transient
				}
				why := c.Do(t.Context(), Call{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")})[0].Reason
				if why.Code != want || why.Class != class || !strings.Contains(why.Cure, "clock") {
					t.Errorf("call %d: %s %s: %v", i+1, why.Code, why.Class, why)
				}
			}
			if len(signed) != 2 || signed[1].Sub(ec2sNow).Abs() > time.Minute {
				t.Errorf("signed at %v, EC2's clock says %v", signed, ec2sNow)
			}
		})
	}
}

// TestDoThroughSDK: how the real client's errors are judged.
func TestDoThroughSDK(t *testing.T) {
	reset := func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
	}
	credentials := func(err error) func(*aws.Config) {
		return func(c *aws.Config) {
			c.Credentials = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, err }))
		}
	}
	tests := map[string]struct {
		rt   roundTripper
		cfg  func(*aws.Config)
		want string
	}{
		"done":                     {rt: answer(200, assigned), want: "ok"},
		"throttled":                {rt: answer(503, xmlError("RequestLimitExceeded", "Request limit exceeded.")), want: "EC2Throttled Transient"},
		"throttled without a code": {rt: answer(429, xmlError("Odd", "slow")), want: "EC2Throttled Transient"},
		"busy":                     {rt: answer(503, xmlError("Unavailable", "busy")), want: "EC2Unavailable Transient"},
		"internal error":           {rt: answer(500, xmlError("InternalError", "oops")), want: "EC2Unavailable Transient in doubt"},
		"unknown 5xx":              {rt: answer(500, xmlError("Brand.New", "oops")), want: "EC2Unavailable Transient in doubt"},
		"5xx of a load balancer":   {rt: answer(502, "<html>Bad <b>Gateway"), want: "EC2Unavailable Transient in doubt"},
		"4xx of a proxy":           {rt: answer(403, "<html>Forbidden <b>here"), want: "UnknownError Transient"},
		"unknown 4xx":              {rt: answer(400, xmlError("Brand.New", "no")), want: "UnknownRefusal Permanent"},
		"4xx with nothing in it":   {rt: answer(400, ""), want: "UnknownRefusal Permanent"},
		"denied":                   {rt: answer(403, xmlError("UnauthorizedOperation", "no")), want: "NotAuthorized Denied"},
		"done, but not readable":   {rt: answer(200, "<AssignPrivateIpAddressesResponse><netw"), want: "EC2NoAnswer Transient in doubt"},
		"connection reset":         {rt: reset, want: "EC2NoAnswer Transient in doubt"},
		"closed":                   {rt: func(*http.Request) (*http.Response, error) { return nil, io.EOF }, want: "EC2NoAnswer Transient in doubt"},
		"no such host": {rt: func(*http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "ec2"}
		}, want: "EC2Unreachable Transient"},
		"refused": {rt: func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}, want: "EC2Unreachable Transient"},
		"false certificate": {rt: func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: errors.New("expired")}
		}, want: "EC2Unreachable Transient"},
		"no credentials":       {cfg: credentials(errors.New("no EC2 IMDS role found")), want: "CredentialsMissing Denied"},
		"STS out of reach":     {cfg: credentials(&smithy.OperationError{ServiceID: "STS", Err: &smithyhttp.RequestSendError{Err: io.EOF}}), want: "CredentialsUnavailable Transient"},
		"STS throttled":        {cfg: credentials(&smithy.OperationError{ServiceID: "STS", Err: apiError("Throttling", "")}), want: "CredentialsUnavailable Transient"},
		"STS refuses":          {cfg: credentials(&smithy.OperationError{ServiceID: "STS", Err: apiError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")}), want: "CredentialsInvalid Denied"},
		"web identity expired": {cfg: credentials(&smithy.OperationError{ServiceID: "STS", Err: apiError("ExpiredTokenException", "Token expired")}), want: "CredentialsExpired Denied"},
		"instance role hidden": {cfg: credentials(&smithy.OperationError{ServiceID: "ec2imds", Err: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 404}}, Err: errors.New("not found")}}), want: "CredentialsMissing Denied"},
		"IMDS out of breath":   {cfg: credentials(&smithy.OperationError{ServiceID: "ec2imds", Err: errors.New("timeout")}), want: "CredentialsMissing Transient"},
		"unsigned":             {rt: answer(400, xmlError("MissingParameter", "The request must contain the parameter AWSAccessKeyId")), want: "CredentialsMissing Denied"},
		"no Region":            {cfg: func(c *aws.Config) { c.Region = "" }, want: "RegionMissing Permanent"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rt := tt.rt
			if rt == nil {
				rt = func(*http.Request) (*http.Response, error) {
					t.Error("a request was sent")
					return nil, io.EOF
				}
			}
			cfg := testConfig(rt)
			if tt.cfg != nil {
				tt.cfg(&cfg)
			}
			c := &Client{EC2: NewEC2(cfg)}
			got := c.Do(t.Context(), Call{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")})
			if diff := cmp.Diff("10.0.1.40 "+tt.want+"\n", table(got)); diff != "" {
				t.Error(diff)
			}
			t.Log(got[0].Reason)
		})
	}
}

func TestNewEC2NeverRetries(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "5")
	n := 0
	cfg := testConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
		n++
		return answer(503, xmlError("RequestLimitExceeded", ""))(r)
	}))
	cfg.RetryMaxAttempts = 5
	start := time.Now()
	(&Client{EC2: NewEC2(cfg)}).Do(t.Context(), Call{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")})
	if n != 1 || time.Since(start) > time.Second {
		t.Errorf("%d attempts in %v, want 1", n, time.Since(start))
	}
}

// TestOverTheWire: the client that NewEC2 builds by itself, over a socket.
func TestOverTheWire(t *testing.T) {
	hang := make(chan struct{})
	var mode atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch io.Copy(io.Discard, r.Body); mode.Load() {
		case "answer":
			fmt.Fprint(w, assigned)
		case "drop":
			panic(http.ErrAbortHandler)
		default:
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}
	}))
	defer server.Close()
	defer close(hang)
	cfg := testConfig(nil)
	cfg.BaseEndpoint = &server.URL
	c := &Client{EC2: NewEC2(cfg)}
	call := Call{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40")}
	for m, want := range map[string]string{
		"answer": "ok",
		"drop":   "EC2NoAnswer Transient in doubt",
		"hang":   "RequestCanceled Transient in doubt",
	} {
		mode.Store(m)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if m == "hang" {
			time.AfterFunc(50*time.Millisecond, cancel)
		}
		if diff := cmp.Diff("10.0.1.40 "+want+"\n", table(c.Do(ctx, call))); diff != "" {
			t.Errorf("%s: %s", m, diff)
		}
		cancel()
	}
	server.CloseClientConnections()
	server.Listener.Close()
	if diff := cmp.Diff("10.0.1.40 EC2Unreachable Transient\n", table(c.Do(t.Context(), call))); diff != "" {
		t.Errorf("closed: %s", diff)
	}
}

func TestInstrument(t *testing.T) {
	var seen []string
	next := answer(200, assigned)
	cfg := testConfig(roundTripper(func(r *http.Request) (*http.Response, error) { return next(r) }))
	e := Instrument(NewEC2(cfg), func(action, code string, took time.Duration) {
		if took < 0 {
			t.Errorf("took %v", took)
		}
		seen = append(seen, action+" "+code)
	})
	ctx := t.Context()
	e.AssignPrivateIpAddresses(ctx, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: aws.String("eni-a")})
	next = answer(400, xmlError("InvalidParameterValue", ""))
	e.UnassignPrivateIpAddresses(ctx, &ec2.UnassignPrivateIpAddressesInput{NetworkInterfaceId: aws.String("eni-a")})
	e.AssignIpv6Addresses(ctx, &ec2.AssignIpv6AddressesInput{NetworkInterfaceId: aws.String("eni-a")})
	next = func(*http.Request) (*http.Response, error) { return nil, io.EOF }
	e.UnassignIpv6Addresses(ctx, &ec2.UnassignIpv6AddressesInput{NetworkInterfaceId: aws.String("eni-a")})
	e.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{})
	next = answer(412, xmlError("DryRunOperation", "Request would have succeeded, but DryRun flag is set."))
	e.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{RouteTableId: aws.String("rtb-1"), DryRun: aws.Bool(true)})
	next = answer(400, xmlError("RouteAlreadyExists", ""))
	e.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: aws.String("rtb-1")})
	e.DeleteRoute(ctx, &ec2.DeleteRouteInput{RouteTableId: aws.String("rtb-1")})
	next = answer(200, "<DescribeRouteTablesResponse/>")
	e.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{})
	want := []string{
		"AssignPrivateIpAddresses ", "UnassignPrivateIpAddresses InvalidParameterValue", "AssignIpv6Addresses InvalidParameterValue",
		"UnassignIpv6Addresses EC2NoAnswer", "DescribeNetworkInterfaces EC2NoAnswer",
		"ReplaceRoute ", "CreateRoute RouteAlreadyExists", "DeleteRoute RouteAlreadyExists", "DescribeRouteTables ",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

// FuzzEC2Answer: whatever EC2 answers, nothing panics, and no address is done
// that was in no answer of success.
func FuzzEC2Answer(f *testing.F) {
	f.Add(200, assigned, 200, "")
	f.Add(200, "<AssignPrivateIpAddressesResponse/>", 200, `<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><networkInterfaceId>eni-a</networkInterfaceId>
<privateIpAddressesSet><item><privateIpAddress>10.0.1.41</privateIpAddress></item></privateIpAddressesSet></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>`)
	f.Add(400, xmlError("PrivateIpAddressLimitExceeded", "10.0.1.40"), 200, assigned)
	f.Add(400, xmlError("InvalidParameterValue", "secondary-addresses"), 500, "")
	f.Add(200, "<a><assignedIpv6Addresses><item>2001:db8::1</item>", 400, xmlError("InvalidParameterValue", "x"))
	f.Fuzz(func(t *testing.T, status int, body string, status2 int, body2 string) {
		if status < 200 || status > 599 || status2 < 200 || status2 > 599 {
			return
		}
		n := 0
		var good strings.Builder
		c := &Client{EC2: NewEC2(testConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
			n++
			s, b := status, body
			if n%2 == 0 {
				s, b = status2, body2
			}
			if s < 300 {
				good.WriteString(b)
			}
			return answer(s, b)(r)
		})))}
		for _, call := range []Call{
			{Verb: Claim, ENI: "eni-a", Family: IPv4, Addrs: addrs("10.0.1.40 10.0.1.41 10.0.1.42")},
			{Verb: Hold, ENI: "eni-a", Family: IPv6, Addrs: addrs("2001:db8::1 2001:db8::2")},
		} {
			n = 0
			good.Reset()
			got := c.Do(t.Context(), call)
			if len(got) != len(call.Addrs) || n > maxRequests {
				t.Fatalf("%d outcomes, %d requests", len(got), n)
			}
			for _, o := range got {
				if o.Reason == nil && !mentions(good.String(), o.Addr) {
					t.Fatalf("%s is done, but the answers were %q", o.Addr, good.String())
				}
			}
		}
	})
}
