// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package eniassign

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"
)

var cmpNet = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

// mentions says that text has the address in it, in any spelling.
func mentions(text string, a netip.Addr) bool {
	fields := strings.FieldsFunc(html.UnescapeString(text), func(r rune) bool { return strings.ContainsRune("<> \n\r\t\"'", r) })
	for _, f := range fields {
		if b, err := netip.ParseAddr(f); err == nil && b.Unmap() == a {
			return true
		}
	}
	// XML may cut an address in two, with a comment or a section.
	d := xml.NewDecoder(strings.NewReader(text))
	var all strings.Builder
	for {
		tok, err := d.Token()
		if err != nil {
			break
		}
		if c, ok := tok.(xml.CharData); ok {
			all.Write(c)
		}
	}
	return strings.Contains(all.String(), a.String())
}

// worker is IMDS of a worker with the primary ENI and one for N2.
func worker() fakeIMDS {
	const n2 = "network/interfaces/macs/02:00:00:00:00:02/"
	const eth0 = "network/interfaces/macs/02:00:00:00:00:01/"
	return fakeIMDS{
		"network/interfaces/macs/": "02:00:00:00:00:01/\n02:00:00:00:00:02/",
		"instance-id":              "i-1",
		"instance-type":            "m5.large",
		"placement/region":         "eu-central-1",
		eth0 + "interface-id":      "eni-1", eth0 + "device-number": "0", eth0 + "local-ipv4s": "10.0.0.5",
		eth0 + "subnet-id": "subnet-0", eth0 + "vpc-id": "vpc-1", eth0 + "subnet-ipv4-cidr-block": "10.0.0.0/24",
		n2 + "interface-id": "eni-2", n2 + "device-number": "1", n2 + "local-ipv4s": "10.0.2.10\n10.0.2.11", n2 + "ipv6s": "2001:db8::1",
		n2 + "subnet-id": "subnet-2", n2 + "vpc-id": "vpc-1", n2 + "subnet-ipv4-cidr-block": "10.0.2.0/24", n2 + "subnet-ipv6-cidr-blocks": "2001:db8::/64",
		n2 + "ipv4-prefix": "10.0.2.64/28", n2 + "ipv6-prefix": "2001:db8::aa:0:0:0/80",
	}
}

func workerInventory() Inventory {
	return Inventory{
		FromIMDS: true, InstanceID: "i-1", InstanceType: "m5.large", Region: "eu-central-1",
		ENIs: []ENI{
			{
				ID: "eni-1", MAC: "02:00:00:00:00:01", DeviceIndex: 0, InstanceID: "i-1", InstanceType: "m5.large", SubnetID: "subnet-0", VPCID: "vpc-1",
				CIDRs: prefixes("10.0.0.0/24"), Primary: addr("10.0.0.5"), Addresses: addrs("10.0.0.5"),
			},
			{
				ID: "eni-2", MAC: "02:00:00:00:00:02", DeviceIndex: 1, InstanceID: "i-1", InstanceType: "m5.large", SubnetID: "subnet-2", VPCID: "vpc-1",
				CIDRs: prefixes("10.0.2.0/24 2001:db8::/64"), Primary: addr("10.0.2.10"), Addresses: addrs("10.0.2.10 10.0.2.11 2001:db8::1"),
				Prefixes: prefixes("10.0.2.64/28 2001:db8::aa:0:0:0/80"),
			},
		},
	}
}

func TestInventoryFromIMDS(t *testing.T) {
	got, err := (&Client{IMDS: worker(), EC2: &fakeEC2{t: t}}).Inventory(t.Context(), []string{"02:00:00:00:00:02"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(workerInventory(), got, cmpNet); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInventoryLeavesOutWhatWasDetached(t *testing.T) {
	w := worker()
	delete(w, "network/interfaces/macs/02:00:00:00:00:01/interface-id")
	got, err := (&Client{IMDS: w, EC2: &fakeEC2{t: t}}).Inventory(t.Context(), nil)
	if err != nil || len(got.ENIs) != 1 || got.ENIs[0].ID != "eni-2" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// halfIMDS knows the MAC addresses and breaks down after that.
type halfIMDS struct{ fakeIMDS }

func (h halfIMDS) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, opts ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	if in.Path != macsPath {
		return nil, errors.New("broken down")
	}
	return h.fakeIMDS.GetMetadata(ctx, in, opts...)
}

func TestInventoryOfHalfAnIMDS(t *testing.T) {
	c := &Client{IMDS: halfIMDS{worker()}, EC2: NewEC2(testConfig(answer(200, fmt.Sprintf(described, ""))))}
	got, err := c.Inventory(t.Context(), []string{"02:00:00:00:00:02"})
	if err != nil || got.FromIMDS || !strings.Contains(got.IMDSError, "broken down") || len(got.ENIs) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := c.Hint(t.Context(), got.ENIs[0]); err == nil || !strings.Contains(errors.Unwrap(err).Error(), "broken down") {
		t.Errorf("hint: %v", err)
	}
}

const described = `<DescribeNetworkInterfacesResponse><networkInterfaceSet><item>
<networkInterfaceId>eni-2</networkInterfaceId><macAddress>02:00:00:00:00:02</macAddress><subnetId>subnet-2</subnetId><vpcId>vpc-1</vpcId>
<privateIpAddress>10.0.2.10</privateIpAddress>
<attachment><deviceIndex>1</deviceIndex><instanceId>i-1</instanceId></attachment>
<tagSet><item><key>node.k8s.amazonaws.com/no_manage</key><value>true</value></item></tagSet>
<privateIpAddressesSet><item><privateIpAddress>10.0.2.10</privateIpAddress><primary>true</primary></item><item><privateIpAddress>10.0.2.11</privateIpAddress><primary>false</primary></item></privateIpAddressesSet>
<ipv6AddressesSet><item><ipv6Address>2001:db8::1</ipv6Address><isPrimaryIpv6>true</isPrimaryIpv6></item><item><ipv6Address>2001:db8::2</ipv6Address></item></ipv6AddressesSet>
<ipv4PrefixSet><item><ipv4Prefix>10.0.2.64/28</ipv4Prefix></item></ipv4PrefixSet>
<ipv6PrefixSet><item><ipv6Prefix>2001:db8::aa:0:0:0/80</ipv6Prefix></item></ipv6PrefixSet>
</item></networkInterfaceSet>%s</DescribeNetworkInterfacesResponse>`

func describedENI() ENI {
	return ENI{
		ID: "eni-2", MAC: "02:00:00:00:00:02", DeviceIndex: 1, InstanceID: "i-1", SubnetID: "subnet-2", VPCID: "vpc-1",
		Primary: addr("10.0.2.10"), PrimaryIPv6: addr("2001:db8::1"), Addresses: addrs("10.0.2.10 10.0.2.11 2001:db8::1 2001:db8::2"),
		Prefixes: prefixes("10.0.2.64/28 2001:db8::aa:0:0:0/80"), Tags: map[string]string{NoManageTag: "true"},
	}
}

func TestDescribe(t *testing.T) {
	var asked []string
	cfg := testConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, string(body))
		next := "<nextToken>more</nextToken>"
		if len(asked) > 1 {
			next = ""
		}
		return answer(200, fmt.Sprintf(described, next))(r)
	}))
	got, err := (&Client{EC2: NewEC2(cfg)}).Describe(t.Context(), []string{"eni-2"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ENI{describedENI(), describedENI()}, got, cmpNet); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []string{
		"Action=DescribeNetworkInterfaces&Filter.1.Name=network-interface-id&Filter.1.Value.1=eni-2&Version=2016-11-15",
		"Action=DescribeNetworkInterfaces&Filter.1.Name=network-interface-id&Filter.1.Value.1=eni-2&NextToken=more&Version=2016-11-15",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestDescribeNothingAsksNothing(t *testing.T) {
	got, err := (&Client{EC2: &fakeEC2{t: t}}).Describe(t.Context(), nil)
	if got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDescribeWithoutEndFails(t *testing.T) {
	cfg := testConfig(answer(200, fmt.Sprintf(described, "<nextToken>more</nextToken>")))
	if got, err := (&Client{EC2: NewEC2(cfg)}).Describe(t.Context(), []string{"eni-2"}); err == nil {
		t.Errorf("got %d ENIs", len(got))
	}
}

func TestInventoryFallsBackToDescribe(t *testing.T) {
	fake := &fakeEC2{t: t}
	c := &Client{IMDS: failingIMDS{errors.New("boom")}, EC2: fake}
	if _, err := c.Inventory(t.Context(), nil); err == nil {
		t.Error("without a MAC address there is nothing to filter by")
	}
	fake.describe = func(in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
		if *in.Filters[0].Name != "mac-address" || in.Filters[0].Values[0] != "02:00:00:00:00:02" {
			t.Errorf("filters %v", in.Filters)
		}
		return nil, apiError("UnauthorizedOperation", "no")
	}
	_, err := c.Inventory(t.Context(), []string{"02:00:00:00:00:02"})
	var why *Error
	if !errors.As(err, &why) || why.Reason().Code != NotAuthorized {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{"ec2:DescribeNetworkInterfaces", "boom", "HttpEndpoint"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	cfg := testConfig(answer(200, fmt.Sprintf(described, "")))
	got, err := (&Client{IMDS: failingIMDS{errors.New("boom")}, EC2: NewEC2(cfg)}).Inventory(t.Context(), []string{"02:00:00:00:00:02"})
	if err != nil || got.FromIMDS || !strings.Contains(got.IMDSError, "boom") {
		t.Errorf("got %+v, %v", got, err)
	}
	if diff := cmp.Diff([]ENI{describedENI()}, got.ENIs, cmpNet); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHint(t *testing.T) {
	w := worker()
	before := workerInventory().ENIs[1]
	before.Tags = map[string]string{NoManageTag: "true"}
	before.PrimaryIPv6 = addr("2001:db8::9")
	w["network/interfaces/macs/02:00:00:00:00:02/local-ipv4s"] = "10.0.2.10\n10.0.2.12\n"
	delete(w, "network/interfaces/macs/02:00:00:00:00:02/ipv6-prefix")
	delete(w, "network/interfaces/macs/02:00:00:00:00:02/ipv6s")
	want := before
	want.Addresses = addrs("10.0.2.10 10.0.2.12")
	want.Prefixes = prefixes("10.0.2.64/28")
	c := &Client{IMDS: w}
	got, err := c.Hint(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpNet); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var why *Error
	if _, err := c.Hint(t.Context(), ENI{ID: "eni-9", MAC: "02:00:00:00:00:09"}); !errors.As(err, &why) || why.Reason().Class != Gone {
		t.Errorf("a detached ENI gave %v", err)
	}
}

// imdsServer serves worker() as IMDSv2 over HTTP.
type imdsServer struct {
	token    atomic.Int64
	puts     atomic.Int64
	gets     atomic.Int64
	current  atomic.Int64
	parallel atomic.Int64
	pages    fakeIMDS
}

func (s *imdsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		s.puts.Add(1)
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
		fmt.Fprintf(w, "token-%d", s.token.Load())
		return
	}
	s.gets.Add(1)
	s.parallel.Store(max(s.parallel.Load(), s.current.Add(1)))
	defer s.current.Add(-1)
	if r.Header.Get("X-Aws-Ec2-Metadata-Token") != fmt.Sprintf("token-%d", s.token.Load()) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	text, ok := s.pages[strings.TrimPrefix(r.URL.Path, "/latest/meta-data/")]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	io.WriteString(w, text)
}

func TestNewIMDS(t *testing.T) {
	imdsd := &imdsServer{pages: worker()}
	server := httptest.NewServer(imdsd)
	defer server.Close()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // must not be used
	c := &Client{IMDS: NewIMDS(aws.Config{})}
	got, err := c.Inventory(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(workerInventory(), got, cmpNet); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := imdsd.puts.Load(); n != 1 {
		t.Errorf("%d tokens, want 1", n)
	}
	if n := imdsd.parallel.Load(); n > imdsParallel {
		t.Errorf("%d requests at once", n)
	}
	imdsd.token.Add(1) // IMDS was restarted
	if _, err := c.Hint(t.Context(), got.ENIs[1]); err != nil {
		t.Errorf("with a forgotten token: %v", err)
	}
}

// TestIMDSBlocked: what is said of an IMDS that does not answer, and how fast.
func TestIMDSBlocked(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	status := func(code int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	tests := map[string]struct {
		url  string
		want Code
		cure string
	}{
		"token never answered": {"http://" + silent.Addr().String(), IMDSHopLimit, "Set HttpPutResponseHopLimit to 2"},
		"refused":              {"http://" + closed.Addr().String(), IMDSBlocked, "169.254.169.254"},
		"switched off":         {status(403), IMDSFailed, "HttpEndpoint"},
		"not IMDS":             {status(404), IMDSFailed, "HttpEndpoint"},
		"broken":               {status(500), IMDSFailed, "HttpEndpoint"},
		"disabled":             {status(200), IMDSBlocked, "Take the variable out"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", tt.url)
			if name == "disabled" {
				t.Setenv(imdsDisabled, "true")
			}
			c := &Client{IMDS: NewIMDS(aws.Config{}), EC2: NewEC2(testConfig(answer(200, fmt.Sprintf(described, ""))))}
			start := time.Now()
			_, why := c.inventoryIMDS(t.Context())
			took := time.Since(start)
			if why == nil || why.Why.Code != tt.want || !strings.Contains(why.Why.Cure, tt.cure) {
				t.Fatalf("got %+v", why)
			}
			if took > imdsTimeout+500*time.Millisecond {
				t.Errorf("took %v", took)
			}
			t.Log(took.Round(time.Millisecond), why)
			inv, err := c.Inventory(t.Context(), []string{"02:00:00:00:00:02"})
			if err != nil || len(inv.ENIs) != 1 || inv.FromIMDS || inv.IMDSError == "" {
				t.Errorf("got %+v, %v", inv, err)
			}
		})
	}
	t.Run("disabled", func(t *testing.T) {
		t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		_, why := (&Client{IMDS: NewIMDS(aws.Config{})}).inventoryIMDS(t.Context())
		if why == nil || !strings.Contains(why.Error(), "AWS_EC2_METADATA_DISABLED") {
			t.Errorf("got %v", why)
		}
	})
	t.Run("no IMDS client", func(t *testing.T) {
		_, why := (&Client{}).inventoryIMDS(t.Context())
		if why == nil {
			t.Error("no error")
		}
	})
}

func TestIMDSWithoutConnection(t *testing.T) {
	var way imdsWay
	if got := way.explain(fmt.Errorf("read: %w", context.DeadlineExceeded)); got.Why.Code != IMDSBlocked {
		t.Errorf("got %v", got)
	}
}

// FuzzIMDS: whatever IMDS answers, nothing panics, and each ENI is usable.
func FuzzIMDS(f *testing.F) {
	f.Add("02:00:00:00:00:02/", "eni-2", "1", "10.0.2.10\n10.0.2.11", "10.0.2.64/28", "10.0.2.0/24")
	f.Add("../../x\n02:00:00:00:00:02", "eni", "-1", "::ffff:1.2.3.4 x", "1.2.3.4", "0.0.0.0/0 ::/0")
	f.Fuzz(func(t *testing.T, macs, id, device, ips, prefix, cidr string) {
		const at = "network/interfaces/macs/02:00:00:00:00:02/"
		c := &Client{IMDS: fakeIMDS{
			"network/interfaces/macs/": macs, at + "interface-id": id, at + "device-number": device, at + "local-ipv4s": ips, at + "ipv6s": ips,
			at + "ipv4-prefix": prefix, at + "ipv6-prefix": prefix, at + "subnet-ipv4-cidr-block": cidr, at + "subnet-ipv6-cidr-blocks": cidr,
		}}
		inv, err := c.inventoryIMDS(t.Context())
		if err != nil {
			return
		}
		for _, e := range inv.ENIs {
			if e.ID == "" || e.MAC == "" || e.DeviceIndex < -1 {
				t.Fatalf("%+v", e)
			}
			for _, a := range e.Addresses {
				if !a.IsValid() || a.Is4In6() {
					t.Fatalf("address %v", a)
				}
				CheckAddress(a, e)
				_, _ = Match("", a, inv.ENIs, Policy{})
			}
			for _, p := range append(e.CIDRs, e.Prefixes...) {
				if !p.IsValid() || p != p.Masked() {
					t.Fatalf("prefix %v", p)
				}
			}
		}
	})
}

func BenchmarkInventory(b *testing.B) {
	server := httptest.NewServer(&imdsServer{pages: worker()})
	defer server.Close()
	b.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	for b.Loop() {
		// A client of its own each time, as at a start.
		if _, err := (&Client{IMDS: NewIMDS(aws.Config{})}).Inventory(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
}
