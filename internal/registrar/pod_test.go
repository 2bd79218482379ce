// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/state"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// A pod has a kernel, a state directory, and now and then a running registrar.
type pod struct {
	w       *world
	home    home
	eni     model.ENI
	ec2     http.RoundTripper
	imds    http.RoundTripper
	kernel  *kernel
	store   *disk
	keeps   bool // never releases
	leaving bool // SIGTERM was sent, the process has not ended

	had  map[netip.Addr]bool // in the kernel, ever
	left map[netip.Addr]bool // on an ENI, with nobody to release it

	mu       sync.Mutex
	run      *running
	floating ledger.Floating
	noted    chan struct{} // the annotations have changed
	document control.Document
}

// running is one life of the registrar's process.
type running struct {
	stop context.CancelFunc
	done chan error
	life *life
}

// A life says whether the process still lives: a dead one sends and writes
// nothing, and its connections are cut.
type life struct {
	ctx context.Context
	end context.CancelFunc
}

func (l *life) ended() bool { return l.ctx.Err() != nil }

var errDead = errors.New("the process is dead")

func newPod(w *world, at home, eni model.ENI) *pod {
	return &pod{w: w, home: at, eni: eni, kernel: newKernel(eni.MAC), store: &disk{}, noted: make(chan struct{}, 1),
		floating: w.floatingFor(at, w.h.named), had: map[netip.Addr]bool{}, left: map[netip.Addr]bool{}}
}

func (p *pod) process() *running {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

func (p *pod) running() bool { return p.process() != nil }

// canHold says whether an ENI of the pod's subnet can have the address.
func (p *pod) canHold(a netip.Addr) bool {
	return routed(a) || a == p.home.own || p.home.eni != "w3-far"
}

// add puts an address on the pod's interface, unless a pod on the same ENI has
// it, as ipvlan does.
func (p *pod) add(a netip.Addr) {
	if p.w.dark[p.home.worker] || p.leaving || !p.canHold(a) {
		return
	}
	for _, o := range p.w.pods {
		if o != p && o.eni.ID == p.eni.ID && slices.Contains(o.kernel.addresses(), a) {
			return
		}
	}
	if p.keeps {
		p.left[a] = true
	}
	p.had[a] = true
	p.w.audit.Appeared(p.home.pod, a)
	p.kernel.add(a)
}

func (p *pod) remove(a netip.Addr) {
	p.kernel.remove(a)
	p.w.audit.Vanished(p.home.pod, a)
}

func (p *pod) clear() {
	for _, a := range p.kernel.addresses() {
		p.remove(a)
	}
}

// orphan notes that nobody will release what the pod may hold.
func (p *pod) orphan() {
	for a := range p.had {
		p.left[a] = true
	}
}

// rehome puts the interface onto another ENI.
func (p *pod) rehome(eni model.ENI) {
	p.eni = eni
	p.w.audit.Rehomed(p.home.pod, eni.ID)
	p.kernel.setMAC(eni.MAC)
}

// annotate changes what the annotations say; bare, that names no route table.
func (p *pod) annotate(f ledger.Floating, bare bool) {
	if bare {
		f.RouteTables = f.RouteTables[:1]
	}
	p.w.audit.Renamed(p.home.pod)
	p.mu.Lock()
	p.floating = f
	p.mu.Unlock()
	select {
	case p.noted <- struct{}{}:
	default:
	}
}

// follow is what package podinfo does with the file of the downward API.
func (p *pod) follow(ctx context.Context, emit func(registrar.Pod)) error {
	for {
		p.mu.Lock()
		f := p.floating
		p.mu.Unlock()
		emit(registrar.Pod{DefaultInterfaces: []string{"eth0"}, Floating: f})
		select {
		case <-p.noted:
		case <-ctx.Done():
			return nil
		}
	}
}

// start starts a registrar; fresh, in a new pod.
func (p *pod) start(fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != nil {
		return
	}
	p.w.audit.Started(p.home.pod, p.eni.ID, fresh)
	l := &life{}
	l.ctx, l.end = context.WithCancel(context.Background())
	ctx, stop := context.WithCancel(context.Background())
	run := &running{stop: stop, done: make(chan error, 1), life: l}
	jitter := rand.New(rand.NewPCG(p.w.h.talk.seed, uint64(p.home.pod[0])))
	r := registrar.New(registrar.Options{
		Version: "test", Mode: "sidecar",
		Ledger: ledger.Config{DefaultInterfaces: []string{"eth0"}, HoldDown: ledger.DefaultHoldDown, HoldDownMax: ledger.DefaultHoldDownMax,
			HintInterval: ledger.DefaultHintInterval, DescribeInterval: ledger.DefaultDescribeInterval, Floating: p.floating, NeverRelease: p.keeps},
		Watcher: p.kernel, Cloud: p.cloud(l), Store: lifeStore{p.store, l}, Log: slog.New(slog.DiscardHandler),
		Rand: jitter.Float64, Siblings: p.w.talk.join(l), Follow: p.follow,
		Publish:         func(d control.Document) { p.mu.Lock(); defer p.mu.Unlock(); p.document = d },
		ShutdownTimeout: grace,
	})
	p.run = run
	go func() { run.done <- r.Sidecar(ctx) }()
}

// grace is what a pod has after SIGTERM.
const grace = 25 * time.Second

// take is the process, which is not the pod's any more.
func (p *pod) take() *running {
	p.mu.Lock()
	defer p.mu.Unlock()
	run := p.run
	p.run = nil
	return run
}

// crash is kill -9: nothing is sent or written from now on.
func (p *pod) crash() {
	if run := p.take(); run != nil {
		run.life.end()
		run.stop()
		<-run.done
		p.w.audit.Died(p.home.pod)
	}
}

// terminate is SIGTERM: the registrar may release what is its own.
func (p *pod) terminate() {
	if run := p.take(); run != nil {
		run.stop()
		p.ended(run, <-run.done)
	}
}

// ended notes how a registrar ended after SIGTERM.
func (p *pod) ended(run *running, err error) {
	var late *registrar.ReleaseError
	switch {
	case errors.As(err, &late):
		p.orphan()
	case err != nil:
		p.w.t.Errorf("pod %s: the sidecar ended with %v", p.home.pod, err)
	}
	run.life.end()
}

// replace deletes the pod, while the world goes on; then a new one comes.
func (p *pod) replace() {
	run := p.take()
	if run == nil {
		return
	}
	p.leaving = true
	run.stop()
	go func() {
		err := <-run.done
		p.w.gone <- func() {
			p.ended(run, err)
			p.clear() // its namespace goes last
			p.store.forget()
			p.leaving = false
			p.w.startNew(p)
		}
	}()
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
				return aws.Credentials{AccessKeyID: "pod-" + p.home.pod, SecretAccessKey: "s"}, nil
			}),
			HTTPClient:   &http.Client{Transport: mortal{rt, l}},
			BaseEndpoint: aws.String("http://ec2.test"),
		}
	}
	return mortalCloud{&eniassign.Client{EC2: eniassign.NewEC2(cfg(p.ec2)), IMDS: plainIMDS{mortal{p.imds, l}}}, l, p}
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
	ctx, cut := context.WithCancel(r.Context())
	defer cut()
	defer context.AfterFunc(m.ctx, cut)()
	return m.RoundTripper.RoundTrip(r.WithContext(ctx))
}

// mortalCloud ends calls that are under way when the process dies.
type mortalCloud struct {
	*eniassign.Client
	*life
	pod *pod
}

// Hint reads the model where IMDS answers; the way over HTTP takes most of a
// history's time, and is the same each time.
func (m mortalCloud) Hint(ctx context.Context, e eniassign.ENI) (eniassign.ENI, error) {
	worker, vpc := m.pod.home.worker, m.pod.w.vpc
	if s := vpc.IMDS(worker); s.Down || s.Blocked || m.ended() {
		return m.Client.Hint(ctx, e)
	}
	i, err := vpc.Instance(worker)
	for _, one := range i.Interfaces {
		if one.MAC == e.MAC && err == nil {
			e.Addresses, e.Prefixes = slices.Concat(one.IPv4, one.IPv6), nil
			return e, nil
		}
	}
	return m.Client.Hint(ctx, e)
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

func (k *kernel) setMAC(mac string) {
	k.change(func(s []netip.Addr) []netip.Addr {
		k.mac = mac
		return s
	})
}

func (k *kernel) interfaceNow() netwatch.Interface {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := netwatch.Interface{Name: "net1", Index: 2, MAC: k.mac, Kind: "ipvlan", Up: true}
	for _, a := range k.addrs {
		i.Prefixes = append(i.Prefixes, netip.PrefixFrom(a, a.BitLen()-8))
	}
	return i
}

func (k *kernel) addresses() []netip.Addr {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.addrs)
}

// Watch is what netwatch does, without netlink.
func (k *kernel) Watch(ctx context.Context, emit func(netwatch.Snapshot)) error {
	for {
		emit(netwatch.Snapshot{Noticed: time.Now(), Interfaces: []netwatch.Interface{k.interfaceNow()}})
		select {
		case <-k.changed:
		case <-ctx.Done():
			return nil
		}
	}
}
