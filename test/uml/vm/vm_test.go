// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build guest

package vm

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/vishvananda/netlink"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/fabric/netspace"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
	"github.com/multus-ip-registrar/multus-ip-registrar/test/uml/job"
)

// TestMachine is one test, since what it sets up takes a while.
func TestMachine(t *testing.T) {
	node := link(t, "vec0")
	up(t, "vec0", "10.0.0.21/24")
	check(t, netlink.RouteAdd(&netlink.Route{LinkIndex: node.Attrs().Index, Gw: net.ParseIP("10.0.0.1")}))
	up(t, "vec1")
	cloud := newCloud(t)

	t.Run("credentials come from IMDS and EC2 is reached", func(t *testing.T) {
		cloud.assign(t, "v1-sig", "10.0.1.121", "2001:db8:0:1::121")
		cloud.assign(t, "v1-node", "10.0.0.121")
	})
	t.Run("an ipvlan pod", func(t *testing.T) {
		pod := ipvlanPod(t, "vec1", "10.0.1.121/24", "2001:db8:0:1::121/64")
		for _, to := range []string{PodIPv4, PodIPv6} {
			echo(t, pod, to, 8<<20)
		}
	})
	t.Run("IMDS from a pod", func(t *testing.T) {
		pod := nodePod(t, "10.0.0.121")
		for _, hops := range []string{"1", "2"} {
			cloud.hopLimit(t, hops)
			want := map[string]string{"1": "", "2": "token"}[hops]
			if got := askToken(t, pod); got != want {
				t.Errorf("with a hop limit of %s, pods get %q, want %q", hops, got, want)
			}
		}
	})
	t.Run("a NIC comes and goes", func(t *testing.T) {
		for range Plugs {
			if _, err := netlink.LinkByName("vec2"); err == nil {
				t.Fatal("the third NIC is there before it is asked for")
			}
			check(t, os.WriteFile(filepath.Join(job.Share, PlugFile), nil, 0o644))
			await(t, "the NIC", func() bool { _, err := netlink.LinkByName("vec2"); return err == nil })
			cloud.assign(t, "v1-late", "10.0.1.131")
			up(t, "vec2")
			pod := ipvlanPod(t, "vec2", "10.0.1.131/24")
			echo(t, pod, PodIPv4, 1<<20)
			check(t, pod.Close())
			check(t, netlink.LinkSetDown(link(t, "vec2")))
			check(t, os.WriteFile(filepath.Join(job.Share, UnplugFile), nil, 0o644))
			await(t, "the NIC's end", func() bool { _, err := netlink.LinkByName("vec2"); return err != nil })
		}
	})
}

// A cloud is the machine's way to AWS, with the credentials of its role.
type cloud struct {
	*ec2.Client
	endpoint string
}

func newCloud(t *testing.T) cloud {
	t.Helper()
	c, err := config.LoadDefaultConfig(t.Context())
	check(t, err)
	var got aws.Credentials
	await(t, "the role's credentials", func() bool {
		got, err = c.Credentials.Retrieve(t.Context())
		return err == nil
	})
	if got.Source != "EC2RoleProvider" || !got.CanExpire {
		t.Errorf("the credentials are %s's and expire: %v; want those of the instance role", got.Source, got.CanExpire)
	}
	return cloud{ec2.NewFromConfig(c), os.Getenv("AWS_ENDPOINT_URL_EC2")}
}

// assign does what a registrar would.
func (c cloud) assign(t *testing.T, eni string, addrs ...string) {
	t.Helper()
	id := aws.String(topology.DeriveID("eni", eni))
	for _, a := range addrs {
		var err error
		if strings.Contains(a, ":") {
			_, err = c.AssignIpv6Addresses(t.Context(), &ec2.AssignIpv6AddressesInput{NetworkInterfaceId: id, Ipv6Addresses: []string{a}})
		} else {
			_, err = c.AssignPrivateIpAddresses(t.Context(), &ec2.AssignPrivateIpAddressesInput{
				NetworkInterfaceId: id, PrivateIpAddresses: []string{a}, AllowReassignment: aws.Bool(true),
			})
		}
		check(t, err)
	}
}

func (c cloud) hopLimit(t *testing.T, n string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, c.endpoint+"/_vpcsim/imds/vm1", strings.NewReader(`{"hopLimit":`+n+`}`))
	check(t, err)
	res, err := http.DefaultClient.Do(r)
	check(t, err)
	check(t, res.Body.Close())
	if res.StatusCode/100 != 2 {
		t.Fatalf("set the hop limit: %s", res.Status)
	}
}

// askToken says "token" where IMDS gives one within a moment.
func askToken(t *testing.T, from *netspace.Namespace) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+topology.IMDSAddress.String()+"/latest/api/token", nil)
	check(t, err)
	r.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "60")
	res, err := from.Client().Do(r)
	if errors.Is(err, context.DeadlineExceeded) {
		return ""
	}
	check(t, err)
	check(t, res.Body.Close())
	return "token"
}

// echo sends bytes through TCP to the other worker's pod and wants them back.
func echo(t *testing.T, from *netspace.Namespace, to string, size int64) {
	t.Helper()
	var c net.Conn
	var err error
	began := time.Now()
	await(t, "a connection to "+to, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c, err = from.Dial(ctx, "tcp", net.JoinHostPort(to, EchoPort))
		return err == nil
	})
	connected := time.Since(began)
	defer c.Close()
	check(t, c.SetDeadline(time.Now().Add(Patience)))
	began = time.Now()
	got := make(chan [32]byte, 1)
	go func() {
		h := sha256.New()
		_, _ = io.Copy(h, c)
		got <- [32]byte(h.Sum(nil))
	}()
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(c, h), io.LimitReader(rand.New(rand.NewSource(1)), size))
	check(t, err)
	check(t, c.(*net.TCPConn).CloseWrite())
	if sum := <-got; sum != [32]byte(h.Sum(nil)) {
		t.Errorf("%d bytes to %s and back arrive changed", size, to)
	}
	t.Logf("%s: connected after %v; %d bytes there and back at %.0f MB/s", to, connected.Round(time.Millisecond), size, float64(2*size)/time.Since(began).Seconds()/1e6)
}

func link(t *testing.T, name string) netlink.Link {
	t.Helper()
	l, err := netlink.LinkByName(name)
	check(t, err)
	return l
}

func up(t *testing.T, name string, addrs ...string) {
	t.Helper()
	l := link(t, name)
	check(t, netlink.LinkSetUp(l))
	for _, a := range addrs {
		parsed, err := netlink.ParseAddr(a)
		check(t, err)
		check(t, netlink.AddrAdd(l, parsed))
	}
}

// ipvlanPod is a pod with an ipvlan interface on a NIC, as Multus makes it.
func ipvlanPod(t *testing.T, master string, addrs ...string) *netspace.Namespace {
	t.Helper()
	pod, h := newPod(t)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.Namespace = "net1", link(t, master).Attrs().Index, netlink.NsFd(pod.FD())
	check(t, netlink.LinkAdd(&netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L2}))
	setUp(t, h, "net1", addrs...)
	return pod
}

// nodePod is a pod with an address of the primary ENI, as the VPC CNI makes it.
func nodePod(t *testing.T, address string) *netspace.Namespace {
	t.Helper()
	const gateway = "169.254.1.1"
	pod, h := newPod(t)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "veth0"
	check(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(pod.FD())}))
	up(t, "veth0", gateway+"/32")
	l := setUp(t, h, "eth0", address+"/32")
	check(t, netlink.RouteAdd(&netlink.Route{LinkIndex: link(t, "veth0").Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: netlink.NewIPNet(net.ParseIP(address))}))
	check(t, h.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: net.ParseIP(gateway), Flags: int(netlink.FLAG_ONLINK)}))
	check(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0))
	return pod
}

func newPod(t *testing.T) (*netspace.Namespace, *netlink.Handle) {
	t.Helper()
	pod, err := netspace.Scratch()
	check(t, err)
	t.Cleanup(func() { check(t, pod.Close()) })
	h, err := pod.Handle()
	check(t, err)
	return pod, h
}

func setUp(t *testing.T, h *netlink.Handle, name string, addrs ...string) netlink.Link {
	t.Helper()
	l, err := h.LinkByName(name)
	check(t, err)
	check(t, h.LinkSetUp(l))
	for _, a := range addrs {
		parsed, err := netlink.ParseAddr(a)
		check(t, err)
		check(t, h.AddrAdd(l, parsed))
	}
	return l
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(Patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%s: not within %v", what, Patience)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
