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
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

const (
	// defaultDrain is how long it takes until no API server sends to an
	// endpoint that is not ready any more: the EndpointSlice, kube-proxy, and
	// some margin.
	defaultDrain = 10 * time.Second
	// defaultShutdown is the longest an API server waits for a webhook.
	// Source: admissionregistration.k8s.io/v1, timeoutSeconds.
	defaultShutdown = 15 * time.Second
)

// settings are the flags of serve.
type settings struct {
	address, opsAddress        string
	certificates, certDir      string
	namespace, service         string
	secret, configuration      string
	kubeconfig                 string
	nativeSidecars             string
	image, pullPolicy          string
	registrarLogLevel, release string
	resources                  string
	registrarEnv               []string
	logLevel                   string
	drain, shutdown            time.Duration
	level                      slog.Level      // parsed from logLevel
	defaults                   inject.Defaults // parsed from the registrar's flags
}

func (s *settings) register(fs *pflag.FlagSet) {
	fs.StringVar(&s.address, "address", ":9443", "`address:port` to answer the API server at, by TLS")
	fs.StringVar(&s.opsAddress, "ops-address", ":8080", "`address:port` of /healthz, /readyz and /metrics, without TLS")
	fs.StringVar(&s.certificates, "certificates", "self", "`source` of the serving certificate: self (made and renewed by the webhook) or files (--cert-dir)")
	fs.StringVar(&s.certDir, "cert-dir", "/etc/webhook/certs", "`directory` with tls.crt and tls.key, a mounted Secret; read again when they change")
	fs.StringVar(&s.namespace, "namespace", "", "the webhook's own `namespace`")
	fs.StringVar(&s.service, "service", "multus-ip-registrar", "`name` of the Service that the API server calls")
	fs.StringVar(&s.secret, "secret", "multus-ip-registrar-webhook-certs", "`name` of the Secret in which the replicas share their certificate")
	fs.StringVar(&s.configuration, "webhook-configuration", "multus-ip-registrar", "`name` of the MutatingWebhookConfiguration that gets the CA bundle")
	fs.StringVar(&s.kubeconfig, "kubeconfig", "", "`file` to reach the API server by (default: the pod's service account)")
	fs.StringVar(&s.nativeSidecars, "native-sidecars", "auto", "inject native sidecars: `auto` (by the API server's version), true or false; false while kubelets before 1.29 are left")
	fs.StringVar(&s.image, "image", "", "the registrar's `image`, best by digest; required")
	fs.StringVar(&s.pullPolicy, "image-pull-policy", "", "the image's pull `policy`: Always, IfNotPresent or Never (default: Kubernetes' own)")
	fs.StringVar(&s.registrarLogLevel, "registrar-log-level", "", "the registrar's log `level` in pods without the annotation (default: info)")
	fs.StringVar(&s.release, "registrar-release", "", "`always` or never, in pods without the annotation (default: always)")
	fs.StringVar(&s.resources, "registrar-resources", "", "the container's resources in pods without the annotation, such as `cpu=10m,memory=64Mi`")
	fs.StringSliceVar(&s.registrarEnv, "registrar-env", nil, "further variables of the container, `NAME=value,…`, such as AWS_REGION=eu-west-1")
	fs.StringVar(&s.logLevel, "log-level", "info", "`level` of the webhook's own log: debug, info, warn or error")
	fs.DurationVar(&s.drain, "drain-delay", defaultDrain, "`time` to go on serving after SIGTERM, until no API server sends any more")
	fs.DurationVar(&s.shutdown, "shutdown-timeout", defaultShutdown, "`time` that requests under way have after --drain-delay")
}

// check parses and judges the values; all faults at once.
func (s *settings) check() []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	for _, f := range [][2]string{{"address", s.address}, {"ops-address", s.opsAddress}} {
		if err := cli.Port(f[1]); err != nil {
			fault("--%s is %q: %w", f[0], f[1], err)
		}
	}
	if s.certificates != "self" && s.certificates != "files" {
		fault("--certificates is %q: choose self or files", s.certificates)
	}
	if s.certificates == "self" {
		for _, f := range []struct {
			flag, value string
			wrong       func(string) []string
		}{
			{"namespace", s.namespace, validation.IsDNS1123Label},
			{"service", s.service, validation.IsDNS1035Label},
			{"secret", s.secret, validation.IsDNS1123Subdomain},
			{"webhook-configuration", s.configuration, validation.IsDNS1123Subdomain},
		} {
			if f.value == "" {
				fault("--%s is empty: --certificates self needs it", f.flag)
			} else if wrong := f.wrong(f.value); len(wrong) > 0 {
				fault("--%s is %q, which cannot be such a name: %s", f.flag, f.value, wrong[0])
			}
		}
	}
	if s.certificates == "files" && s.certDir == "" {
		fault("--cert-dir is empty: --certificates files needs it")
	}
	if s.nativeSidecars != "auto" && s.nativeSidecars != "true" && s.nativeSidecars != "false" {
		fault("--native-sidecars is %q: choose auto, true or false", s.nativeSidecars)
	}
	if err := s.level.UnmarshalText([]byte(s.logLevel)); err != nil {
		fault("--log-level is %q: choose debug, info, warn or error", s.logLevel)
	}
	if s.drain < 0 {
		fault("--drain-delay is %v: it must not be negative", s.drain)
	}
	if s.shutdown < 0 {
		fault("--shutdown-timeout is %v: it must not be negative", s.shutdown)
	}
	return append(faults, s.parseDefaults()...)
}

func (s *settings) parseDefaults() []error {
	var faults []error
	s.defaults = inject.Defaults{
		Image: s.image, ImagePullPolicy: corev1.PullPolicy(s.pullPolicy),
		LogLevel: s.registrarLogLevel, Release: s.release,
	}
	if s.resources != "" {
		r, err := inject.ParseResources(s.resources)
		if err != nil {
			faults = append(faults, fmt.Errorf("--registrar-resources %w", err))
		}
		s.defaults.Resources = r
	}
	for _, item := range s.registrarEnv {
		name, value, ok := strings.Cut(item, "=")
		if !ok {
			faults = append(faults, fmt.Errorf("--registrar-env has %q: write NAME=value", item))
			continue
		}
		s.defaults.Env = append(s.defaults.Env, corev1.EnvVar{Name: name, Value: value})
	}
	image := s.image
	if image == "" {
		faults = append(faults, errors.New("--image is empty: name the registrar's image"))
		image = "any"
	}
	for _, f := range []struct {
		flag string
		only inject.Defaults
	}{
		{"image", inject.Defaults{Image: image}},
		{"image-pull-policy", inject.Defaults{Image: "any", ImagePullPolicy: s.defaults.ImagePullPolicy}},
		{"registrar-log-level", inject.Defaults{Image: "any", LogLevel: s.registrarLogLevel}},
		{"registrar-release", inject.Defaults{Image: "any", Release: s.release}},
		{"registrar-env", inject.Defaults{Image: "any", Env: s.defaults.Env}},
	} {
		if err := f.only.Check(); err != nil {
			faults = append(faults, fmt.Errorf("--%s: %w", f.flag, err))
		}
	}
	return faults
}
