// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// send makes a request to the API without a network.
func send(h http.Handler, method, target, body string) (int, string) {
	r := httptest.NewRequest(method, "http://ec2.test"+target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(text)
}

func TestWire(t *testing.T) {
	const version = "&Version=2016-11-15"
	eni := "&NetworkInterfaceId=" + *id("a1")
	tests := []struct {
		name, body string
		status     int
		want       []string
	}{
		{"answer", "Action=AssignPrivateIpAddresses" + version + eni + "&PrivateIpAddress.1=10.0.1.60", 200, []string{
			`<AssignPrivateIpAddressesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>`,
			`<assignedPrivateIpAddressesSet><item><privateIpAddress>10.0.1.60</privateIpAddress></item></assignedPrivateIpAddressesSet>`,
		}},
		{"empty lists are there", "Action=DescribeNetworkInterfaces" + version + "&Filter.1.Name=mac-address&Filter.1.Value.1=x", 200, []string{"<networkInterfaceSet></networkInterfaceSet>"}},
		{"nothing but done", "Action=UnassignPrivateIpAddresses" + version + "&NetworkInterfaceId=" + *id("b1") + "&PrivateIpAddress.1=10.0.1.50", 200, []string{"<return>true</return>"}},
		{"gaps in a list", "Action=AssignPrivateIpAddresses" + version + eni + "&PrivateIpAddress.7=10.0.1.60&PrivateIpAddress.3=10.0.1.61", 200, []string{"10.0.1.61</privateIpAddress></item><item><privateIpAddress>10.0.1.60"}},
		{"error document", "Action=AssignPrivateIpAddresses" + version + eni + "&PrivateIpAddress.1=10.0.1.50", 400, []string{
			"<Response><Errors><Error><Code>InvalidParameterValue</Code><Message>[10.0.1.50] assigned, but move is not allowed.</Message></Error></Errors><RequestID>",
		}},
		{"unknown action", "Action=Fly" + version, 400, []string{"<Code>InvalidAction</Code>", "The action Fly is not valid"}},
		{"no action", "Version=2016-11-15", 400, []string{"<Code>MissingAction</Code>"}},
		{"no version", "Action=DescribeSubnets", 400, []string{"<Code>NoSuchVersion</Code>"}},
		{"no ENI", "Action=AssignPrivateIpAddresses" + version + "&PrivateIpAddress.1=10.0.1.60", 400, []string{"<Code>MissingParameter</Code>", "networkInterfaceId"}},
		{"unknown parameter", "Action=AssignPrivateIpAddresses" + version + eni + "&PrivateIpAddresses.1=10.0.1.60", 400, []string{"<Code>UnknownParameter</Code>", "PrivateIpAddresses.1"}},
		{"index of zero", "Action=AssignPrivateIpAddresses" + version + eni + "&PrivateIpAddress.0=10.0.1.60", 400, []string{"<Code>UnknownParameter</Code>"}},
		{"bad number", "Action=AssignPrivateIpAddresses" + version + eni + "&SecondaryPrivateIpAddressCount=x", 400, []string{"expecting an integer"}},
		{"negative number", "Action=AssignPrivateIpAddresses" + version + eni + "&SecondaryPrivateIpAddressCount=-1", 400, []string{"cannot be negative"}},
		{"bad flag", "Action=AssignPrivateIpAddresses" + version + eni + "&AllowReassignment=maybe", 400, []string{"expecting true or false"}},
		{"MaxResults of zero", "Action=DescribeNetworkInterfaces" + version + "&MaxResults=0", 400, []string{"maxResults"}},
		{"bad escape", "Action=%zz", 400, []string{"<Code>MalformedQueryString</Code>"}},
		{"too large", "Action=" + strings.Repeat("x", maxBody+1), 413, []string{"<Code>RequestEntityTooLarge</Code>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, text := send(New(newWorld(t)), "POST", "/", tt.body)
			if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("the answer lacks %s:\n%s", want, text)
				}
			}
		})
	}
}

func TestGet(t *testing.T) {
	v := newWorld(t)
	status, text := send(New(v), "GET", "/?Action=DescribeSubnets&Version=2016-11-15&X-Amz-Credential=AKIDQUERY%2F20260101%2Feu-central-1%2Fec2%2Faws4_request&X-Amz-Signature=0", "")
	if status != 200 || !strings.Contains(text, "<cidrBlock>10.0.1.0/24</cidrBlock>") {
		t.Errorf("got %d, %s", status, text)
	}
	if c := v.Calls()[0]; c.AccessKey != "AKIDQUERY" || c.Params["X-Amz-Signature"] != "" {
		t.Errorf("the log says %+v", c)
	}
	if status, _ := send(New(v), "DELETE", "/?Action=DescribeSubnets", ""); status != 405 {
		t.Errorf("DELETE gave %d", status)
	}
}

func TestRefusedRequestsAreLogged(t *testing.T) {
	v := newWorld(t)
	send(New(v), "POST", "/", "Action=Fly&Version=2016-11-15")
	if calls := v.Calls(); len(calls) != 1 || calls[0].Action != "Fly" || calls[0].Code != "InvalidAction" {
		t.Errorf("the log says %+v", calls)
	}
}

func FuzzRequest(f *testing.F) {
	for name := range actions() {
		f.Add("Action=" + name + "&Version=2016-11-15&NetworkInterfaceId=" + *id("a1"))
	}
	f.Add("Action=AssignPrivateIpAddresses&Version=2016-11-15&NetworkInterfaceId=" + *id("a1") + "&PrivateIpAddress.1=10.0.1.60&AllowReassignment=true")
	f.Add("Action=AssignIpv6Addresses&Version=2016-11-15&NetworkInterfaceId=" + *id("a1") + "&Ipv6Addresses.1=2600:1f14:1:201::9%25eth0")
	f.Add("Action=AssignIpv6Addresses&Version=2016-11-15&NetworkInterfaceId=" + *id("a1") + "&Ipv6PrefixCount=2147483647")
	f.Add("Action=DescribeNetworkInterfaces&Version=2016-11-15&Filter.1.Name=tag:a&Filter.1.Value.1=\\*&MaxResults=5&NextToken=YWZ0ZXIg")
	f.Fuzz(func(t *testing.T, body string) {
		start := time.Now()
		status, text := send(New(newWorld(t)), "POST", "/", body)
		if status != 200 && status < 400 || status >= 500 {
			t.Fatalf("status %d", status)
		}
		if !strings.Contains(text, "<requestId>") && !strings.Contains(text, "<RequestID>") {
			t.Fatalf("an answer without a request id: %s", text)
		}
		if status != 200 && !strings.Contains(text, "<Code>") {
			t.Fatalf("a refusal without a code: %s", text)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("took %s", d)
		}
	})
}
