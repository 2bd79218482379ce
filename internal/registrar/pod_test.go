// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/state"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// A pod has a kernel, a state directory, and now and then a running registrar.
type pod struct {
	t        *testing.T
	name     string
	ec2      http.RoundTripper
	imds     http.RoundTripper
	kernel   *kernel
	store    *disk
	run      *running
	mu       sync.Mutex
	document control.Document
}

// running is one life of the registrar's process.
type running struct {
	stop context.CancelFunc
	done chan error
	life *life
}

// A life says whether the process still lives: a dead one sends and writes nothing.
type life struct {
	mu   sync.Mutex
	dead bool
}

func (l *life) end() { l.mu.Lock(); defer l.mu.Unlock(); l.dead = true }
func (l *life) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

var errDead = errors.New("the process is dead")

func newPod(t *testing.T, name, mac string, ec2, imds http.RoundTripper, own netip.Addr) *pod {
	p := &pod{t: t, name: name, ec2: ec2, imds: imds, kernel: newKernel(mac), store: &disk{}}
	p.kernel.add(own)
	return p
}

func (p *pod) running() bool { return p.run != nil }

func (p *pod) start() {
	if p.running() {
		return
	}
	l := &life{}
	ctx, stop := context.WithCancel(context.Background())
	run := &running{stop: stop, done: make(chan error, 1), life: l}
	seed := uint32(len(p.name))
	r := registrar.New(registrar.Options{
		Version: "test", Mode: "sidecar",
		Ledger: ledger.Config{DefaultInterfaces: []string{"eth0"}, HoldDown: ledger.DefaultHoldDown, HoldDownMax: ledger.DefaultHoldDownMax,
			HintInterval: ledger.DefaultHintInterval, DescribeInterval: ledger.DefaultDescribeInterval},
		Watcher: p.kernel, Cloud: p.cloud(l), Store: lifeStore{p.store, l}, Log: slog.New(slog.DiscardHandler),
		Rand:            func() float64 { seed = seed*1664525 + 1013904223; return float64(seed) / (1 << 32) },
		Publish:         func(d control.Document) { p.mu.Lock(); defer p.mu.Unlock(); p.document = d },
		ShutdownTimeout: 10 * time.Minute,
	})
	p.run = run
	go func() { run.done <- r.Sidecar(ctx) }()
}

// crash is kill -9: nothing is sent or written from now on.
func (p *pod) crash() {
	if !p.running() {
		return
	}
	p.run.life.end()
	p.run.stop()
	<-p.run.done
	p.run = nil
}

// terminate is SIGTERM: the registrar may release what is its own.
func (p *pod) terminate() {
	if !p.running() {
		return
	}
	p.run.stop()
	if err := <-p.run.done; err != nil {
		p.t.Errorf("pod %s: the sidecar ended with %v", p.name, err)
	}
	p.run = nil
}

func (p *pod) status() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := fmt.Sprintf("ready=%t", p.document.Ready)
	for _, r := range p.document.Addresses {
		s += fmt.Sprintf("\n  %s %s %s %s %s", r.Address, r.ENI, r.State, r.Code, r.Since.Format("15:04:05.000"))
	}
	return s
}

// cloud is the real client with the real SDK over a transport that dies with
// the process.
func (p *pod) cloud(l *life) registrar.Cloud {
	cfg := func(rt http.RoundTripper) aws.Config {
		return aws.Config{
			Region: "eu-central-1",
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: p.name, SecretAccessKey: "s"}, nil
			}),
			HTTPClient:   &http.Client{Transport: mortal{rt, l}},
			BaseEndpoint: aws.String("http://ec2.test"),
		}
	}
	return mortalCloud{&eniassign.Client{EC2: eniassign.NewEC2(cfg(p.ec2)), IMDS: plainIMDS{mortal{p.imds, l}}}, l}
}

// plainIMDS fetches a token for every request. The SDK's client sleeps with a
// lock held while a token is fetched, and a synctest bubble's clock stands
// still while a goroutine waits for a lock; integration tests use the SDK's.
type plainIMDS struct{ mortal }

func (p plainIMDS) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, _ ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	token, err := p.ask(ctx, http.MethodPut, "api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	if err != nil {
		return nil, err
	}
	defer token.Close()
	text, err := io.ReadAll(token)
	if err != nil {
		return nil, err
	}
	body, err := p.ask(ctx, http.MethodGet, "meta-data/"+in.Path, "X-Aws-Ec2-Metadata-Token", string(text))
	return &imds.GetMetadataOutput{Content: body}, err
}

func (p plainIMDS) ask(ctx context.Context, method, path, header, value string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://169.254.169.254/latest/"+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set(header, value)
	resp, err := p.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: resp}, Err: errors.New(resp.Status)}
	}
	return resp.Body, nil
}

type mortal struct {
	http.RoundTripper
	*life
}

func (m mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.ended() {
		return nil, errDead
	}
	return m.RoundTripper.RoundTrip(r)
}

// mortalCloud ends calls that are under way when the process dies.
type mortalCloud struct {
	*eniassign.Client
	*life
}

func (m mortalCloud) Do(ctx context.Context, c eniassign.Call) []eniassign.Outcome {
	if m.ended() {
		var out []eniassign.Outcome
		for _, a := range c.Addrs {
			out = append(out, eniassign.Outcome{Addr: a, InDoubt: true, Reason: &eniassign.Reason{Class: eniassign.Permanent, Text: "dead"}})
		}
		return out
	}
	return m.Client.Do(ctx, c)
}

// A disk is the state file, without a file system.
type disk struct {
	mu  sync.Mutex
	raw []byte
}

func (d *disk) forget() { d.mu.Lock(); defer d.mu.Unlock(); d.raw = nil }

type lifeStore struct {
	*disk
	*life
}

func (s lifeStore) Load() ([]ledger.Record, error) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.raw == nil {
		return nil, nil
	}
	return state.Decode(s.raw)
}

func (s lifeStore) Save(r []ledger.Record) error {
	if s.ended() {
		return errDead
	}
	raw, err := state.Encode(r)
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	s.raw = raw
	return err
}

// A kernel is a namespace's address table with one Multus interface.
type kernel struct {
	mu      sync.Mutex
	mac     string
	addrs   []netip.Addr
	changed chan struct{}
}

func newKernel(mac string) *kernel { return &kernel{mac: mac, changed: make(chan struct{}, 1)} }

func (k *kernel) change(f func([]netip.Addr) []netip.Addr) {
	k.mu.Lock()
	k.addrs = f(k.addrs)
	k.mu.Unlock()
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

func (k *kernel) add(a netip.Addr) {
	k.change(func(s []netip.Addr) []netip.Addr {
		if slices.Contains(s, a) {
			return s
		}
		return append(s, a)
	})
}

func (k *kernel) remove(a netip.Addr) {
	k.change(func(s []netip.Addr) []netip.Addr {
		return slices.DeleteFunc(slices.Clone(s), func(b netip.Addr) bool { return a == b })
	})
}

func (k *kernel) clear() { k.change(func([]netip.Addr) []netip.Addr { return nil }) }

func (k *kernel) addresses() []netip.Addr {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.addrs)
}

// Watch is what netwatch does, without netlink.
func (k *kernel) Watch(ctx context.Context, emit func(netwatch.Snapshot)) error {
	for {
		i := netwatch.Interface{Name: "net1", Index: 2, MAC: k.mac, Kind: "ipvlan", Up: true}
		for _, a := range k.addresses() {
			i.Prefixes = append(i.Prefixes, netip.PrefixFrom(a, a.BitLen()-8))
		}
		emit(netwatch.Snapshot{Noticed: time.Now(), Interfaces: []netwatch.Interface{i}})
		select {
		case <-k.changed:
		case <-ctx.Done():
			return nil
		}
	}
}
