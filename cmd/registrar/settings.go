// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/podinfo"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/warm"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

const (
	sidecarMode     = "sidecar"
	defaultStateDir = "/run/multus-ip-registrar"
	// defaultTermination is where the kubelet reads why a container ended.
	defaultTermination = "/dev/termination-log"
	// defaultShutdown leaves 5 s of the default grace period of 30 s.
	defaultShutdown = 25 * time.Second
)

// settings are the flags that init and sidecar share.
type settings struct {
	interfaces     []string
	floatingIPs    []string
	routeTables    []string
	networkStatus  string
	annotations    string
	stateDir       string
	release        string
	allowPrimary   bool
	allowManaged   bool
	metricsAddress string
	logLevel       string
	logFormat      string
	termination    string
	hintInterval   time.Duration
	describeEvery  time.Duration
	holdDown       time.Duration
	holdDownMax    time.Duration
	shutdown       time.Duration
	keepWarm       time.Duration // 0 for never

	networks []podinfo.Network // parsed from networkStatus
	floating ledger.Floating   // parsed from floatingIPs and routeTables
	level    slog.Level        // parsed from logLevel
}

func stateDirFlag(fs *pflag.FlagSet, dir *string) {
	fs.StringVar(dir, "state-dir", defaultStateDir, "`directory` of the state file and the status socket (an emptyDir)")
}

func (s *settings) register(fs *pflag.FlagSet) {
	stateDirFlag(fs, &s.stateDir)
	fs.StringSliceVar(&s.interfaces, "interfaces", nil,
		"look after these interfaces only, `net1,net2,…`, and wait until each has an address (default: all but the pod's default network)")
	fs.StringSliceVar(&s.floatingIPs, "floating-ips", nil,
		"addresses or prefixes, `IP,IP/N,…`, that move between this pod and others: their calls never wait behind others, and rivals are noticed within seconds")
	fs.StringSliceVar(&s.routeTables, "route-tables", nil,
		"`rtb-…,rtb-…`: a floating IP from outside of the subnet is a route to the active pod's ENI in each of these route tables")
	fs.StringVar(&s.networkStatus, "network-status", "",
		"the pod's annotation "+podinfo.NetworkStatusKey+", a `JSON` list; tells the name of the default network's interface (default: eth0)")
	fs.StringVar(&s.annotations, "annotations-file", "",
		"`file` of the downward API with the pod's annotations: "+podinfo.FloatingIPsKey+", "+podinfo.RouteTablesKey+" and "+podinfo.NetworkStatusKey+" there beat the flags, also when they change")
	fs.StringVar(&s.release, "release", "always",
		"`always` unassigns an address when it goes and, by the sidecar, when the pod ends; never leaves it on the ENI")
	fs.BoolVar(&s.allowPrimary, "allow-primary-eni", false, "also assign to the worker's primary ENI (device index 0)")
	fs.BoolVar(&s.allowManaged, "allow-managed-eni", false,
		"also assign to ENIs without the tag "+eniassign.NoManageTag+"=true; the Amazon VPC CNI may hand their addresses to other pods")
	fs.DurationVar(&s.shutdown, "shutdown-timeout", defaultShutdown, "`time` to release addresses in after SIGTERM; shorter than the pod's grace period")
	fs.StringVar(&s.metricsAddress, "metrics-address", "", "serve Prometheus metrics here, such as `:9464` (default: off, the pod's ports are the application's)")
	fs.StringVar(&s.logLevel, "log-level", "info", "`level`: debug, info, warn or error")
	fs.StringVar(&s.logFormat, "log-format", "json", "`form` of the log: json or text")
	fs.StringVar(&s.termination, "termination-log", defaultTermination, "`file` that gets the reason of a failure, for kubectl describe; empty for none")
}

// registerHolding adds the flags that matter only to a long run.
func (s *settings) registerHolding(fs *pflag.FlagSet) {
	fs.DurationVar(&s.hintInterval, "hint-interval", ledger.DefaultHintInterval,
		"`time` between two looks at IMDS for addresses that were taken away; costs no EC2 calls")
	fs.DurationVar(&s.describeEvery, "describe-interval", ledger.DefaultDescribeInterval,
		"`time` between two looks for taken addresses where IMDS does not answer, each one Describe; taken routes are looked for each minute, or as often as that; 0 for neither: then what is lost is not noticed there")
	fs.DurationVar(&s.holdDown, "hold-down", ledger.DefaultHoldDown,
		"`time` before an address that another ENI took is claimed again; doubles up to --hold-down-max")
	fs.DurationVar(&s.keepWarm, "keep-warm", warm.DefaultInterval,
		"longest `time` that connections to EC2 are idle, up to 1m: with --floating-ips they are kept open, and credentials are renewed ahead in any case, so that a floating IP's call leaves at once; makes no EC2 calls; 0 for neither")
	fs.DurationVar(&s.holdDownMax, "hold-down-max", ledger.DefaultHoldDownMax, "the longest hold-down `time`")
}

// check parses and judges the values; all faults at once.
func (s *settings) check() []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if s.release != "always" && s.release != "never" {
		fault("--release is %q: choose always or never", s.release)
	}
	if s.logFormat != "json" && s.logFormat != "text" {
		fault("--log-format is %q: choose json or text", s.logFormat)
	}
	if err := s.level.UnmarshalText([]byte(s.logLevel)); err != nil {
		fault("--log-level is %q: choose debug, info, warn or error", s.logLevel)
	}
	if s.stateDir == "" {
		fault("--state-dir is empty: name a writable directory")
	}
	for _, name := range s.interfaces {
		// Source: dev_valid_name in the kernel.
		if name == "" || len(name) > 15 || strings.ContainsAny(name, "/: \t\n") {
			fault("--interfaces has %q, which cannot be an interface's name (1 to 15 characters, no '/', ':' or space)", name)
		}
	}
	if s.metricsAddress != "" {
		if err := cli.Port(s.metricsAddress); err != nil {
			fault("--metrics-address is %q: %w", s.metricsAddress, err)
		}
	}
	var err error
	if s.floating, err = parseFloating(named{"--floating-ips", s.floatingIPs}, named{"--route-tables", s.routeTables}); err != nil {
		faults = append(faults, err)
	}
	if len(s.routeTables) > 0 && len(s.floatingIPs) == 0 && s.annotations == "" {
		fault("--route-tables has no effect without --floating-ips: name the addresses that are to be routes")
	}
	if s.networks, err = podinfo.ParseNetworkStatus(s.networkStatus); err != nil {
		fault("--network-status: %v", err)
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
		low   time.Duration
	}{
		{"shutdown-timeout", s.shutdown, 0},
		{"hint-interval", s.hintInterval, time.Second},
		{"hold-down", s.holdDown, time.Second},
		{"hold-down-max", s.holdDownMax, s.holdDown},
	} {
		if d.value < d.low {
			fault("--%s is %v: it must be at least %v", d.flag, d.value, d.low)
		}
	}
	if s.keepWarm != 0 && (s.keepWarm < time.Second || s.keepWarm > time.Minute) {
		fault("--keep-warm is %v: it must be 0 (never), or 1s to 1m: idle connections are closed after that", s.keepWarm)
	}
	if s.describeEvery < 0 || s.describeEvery > 0 && s.describeEvery < 30*time.Second {
		fault("--describe-interval is %v: it must be 0 (never) or at least 30s, or the account's EC2 quota suffers", s.describeEvery)
	}
	return faults
}

// A named list is where it was given, a flag or an annotation, and what.
type named struct {
	where  string
	values []string
}

func parseFloating(ips, tables named) (ledger.Floating, error) {
	var f ledger.Floating
	var err, tablesErr error
	if f.Addresses, err = podinfo.ParseFloatingIPs(ips.values); err != nil {
		err = fmt.Errorf("%s: %w", ips.where, err)
	}
	if f.RouteTables, tablesErr = podinfo.ParseRouteTables(tables.values); tablesErr != nil {
		tablesErr = fmt.Errorf("%s: %w", tables.where, tablesErr)
	}
	return f, errors.Join(err, tablesErr)
}

// ledger is the configuration of the account of claims.
func (s *settings) ledger(requireAddress bool) ledger.Config {
	return ledger.Config{
		Interfaces:        s.interfaces,
		DefaultInterfaces: podinfo.DefaultInterfaces(s.networks),
		RequireAddress:    requireAddress,
		Floating:          s.floating,
		NeverRelease:      s.release == "never",
		Policy:            eniassign.Policy{AllowPrimaryENI: s.allowPrimary, AllowManagedENI: s.allowManaged},
		HoldDown:          s.holdDown,
		HoldDownMax:       s.holdDownMax,
		HintInterval:      s.hintInterval,
		DescribeInterval:  s.describeEvery,
	}
}
