// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestNoPortIsOpenUnlessAskedFor: the pod's ports are the application's.
func TestNoPortIsOpenUnlessAskedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	p := l.container("upf").ready()
	if got := l.listening("upf"); len(got) > 0 {
		t.Errorf("the pod listens at %v", got)
	}
	p.terminate()
	p.wantExit(0)
	l.container("upf").ready("--metrics-address=:9464")
	if got := l.listening("upf"); len(got) != 1 || !strings.HasSuffix(got[0], ":24F8") { // 9464
		t.Errorf("the pod listens at %v, want port 9464 only", got)
	}
}

// listening are the pod's TCP ports that take connections, as the kernel has
// them in /proc/net/tcp.
func (l *lab) listening(pod string) (all []string) {
	l.t.Helper()
	const stateListen = "0A"
	check(l.t, l.Fabric.Pod(pod).Run(func() error {
		for _, file := range []string{"tcp", "tcp6"} {
			raw, err := os.ReadFile("/proc/thread-self/net/" + file)
			if errors.Is(err, fs.ErrNotExist) && file == "tcp6" {
				continue
			}
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(raw)) {
				if f := strings.Fields(line); len(f) > 3 && f[3] == stateListen {
					all = append(all, f[1])
				}
			}
		}
		return nil
	}))
	return all
}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf, standby})
	l.container("standby").ready()
	l.VPC.Inject(throttleOnce)
	l.container("upf").ready("--metrics-address=127.0.0.1:9464")
	l.add("upf", "net1", floating4, "10.0.1.101/24") // one that nobody has, one of standby's
	l.untilHeld("w1-sig", "10.0.1.100", "10.0.1.101", floating4, "2001:db8:0:1::100")
	const ns = "multus_ip_registrar_"
	for name, want := range map[string]func(float64) bool{
		ns + `addresses{state="Assigned"}`: exactly(4),
		ns + `addresses{state="Failed"}`:   exactly(0),
		ns + "ready":                       exactly(1),
		ns + `ec2_calls_total{action="DescribeNetworkInterfaces",code="OK"}`:                  exactly(1),
		ns + `ec2_calls_total{action="AssignIpv6Addresses",code="OK"}`:                        exactly(1),
		ns + `ec2_calls_total{action="AssignPrivateIpAddresses",code="RequestLimitExceeded"}`: exactly(1),
		ns + `ec2_calls_total{action="AssignPrivateIpAddresses",code="OK"}`:                   atLeast(2),
		ns + `ec2_call_duration_seconds_count{action="AssignIpv6Addresses"}`:                  exactly(1),
		ns + "reaction_seconds_count":                                                         exactly(2), // of those after the start
		ns + `reaction_seconds_bucket{le="1"}`:                                                exactly(2),
		ns + "failovers_total":                                                                exactly(2),
		ns + "contested_total":                                                                exactly(0),
		ns + "holddown_claims_total":                                                          exactly(0),
		"process_resident_memory_bytes":                                                       atLeast(1),
	} {
		l.eventually(name+" as expected", func() (any, bool) {
			m := l.scrape("upf", 9464)
			got, there := m[name]
			return fmt.Sprint(got, there), there && want(got)
		})
	}
}

func exactly(want float64) func(float64) bool { return func(got float64) bool { return got == want } }
func atLeast(want float64) func(float64) bool { return func(got float64) bool { return got >= want } }

// scrape reads the metrics of a pod's registrar, by their names with labels.
func (l *lab) scrape(pod string, port int) map[string]float64 {
	l.t.Helper()
	res, err := l.Fabric.Pod(pod).Client().Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
	check(l.t, err)
	defer res.Body.Close()
	all := map[string]float64{}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if i := strings.LastIndex(lines.Text(), "} "); i >= 0 {
			name, value = lines.Text()[:i+1], lines.Text()[i+2:]
		}
		if f, err := strconv.ParseFloat(value, 64); err == nil && name != "#" {
			all[name] = f
		}
	}
	check(l.t, lines.Err())
	_, _ = io.Copy(io.Discard, res.Body)
	return all
}

// TestAMetricsAddressInUseCostsNoRoutes: the application may have the port when
// the registrar's container restarts.
func TestAMetricsAddressInUseCostsNoRoutes(t *testing.T) {
	t.Parallel()
	l := newLab(t, []string{upf})
	l.container("upf").ready("--metrics-address=:9464")
	second := l.container("upf").ready("--metrics-address=:9464")
	second.untilTold("metrics are not served: give the registrar a port of its own by --metrics-address", ":9464", 1)
}
