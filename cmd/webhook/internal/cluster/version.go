// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/client-go/discovery"
)

const (
	// nativeMajor and nativeMinor are the first Kubernetes whose API server
	// takes native sidecars without a feature gate. The API server is the
	// newest part of a cluster; where kubelets are still older, say so by the
	// webhook's flag. Source: k8s.io/kubernetes, features.SidecarContainers.
	nativeMajor, nativeMinor = 1, 29

	// askVersionEvery finds an upgrade of the cluster: none takes less.
	askVersionEvery = 10 * time.Minute
	// askVersionAgain is the wait after a failure.
	askVersionAgain = 2 * time.Second
)

// A Version knows whether the cluster has native sidecars. The zero value with
// a Client does, once Run has asked.
type Version struct {
	Client discovery.ServerVersionInterface
	Log    *slog.Logger

	state atomic.Int32 // of unknown, plain, native
}

const (
	unknown = iota
	plain
	native
)

// NativeSidecars says whether there are any, as far as is known.
func (v *Version) NativeSidecars() bool { return v.state.Load() == native }

// Ready says that it is known.
func (v *Version) Ready() bool { return v.state.Load() != unknown }

// Run asks now and then until ctx ends.
func (v *Version) Run(ctx context.Context) error {
	for {
		wait := askVersionEvery/2 + rand.N(askVersionEvery)
		if err := v.ask(); err != nil {
			v.Log.Error("cluster version not known", "error", err)
			wait = askVersionAgain
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (v *Version) ask() error {
	info, err := v.Client.ServerVersion()
	if err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	has, err := hasNative(info.Major, info.Minor)
	if err != nil {
		return err
	}
	next := int32(plain)
	if has {
		next = native
	}
	if v.state.Swap(next) != next {
		v.Log.Info("cluster version", "version", info.GitVersion, "nativeSidecars", has)
	}
	return nil
}

// hasNative reads a version; providers put a plus behind the minor one.
func hasNative(major, minor string) (bool, error) {
	a, err := strconv.Atoi(major)
	if err != nil {
		return false, fmt.Errorf("read the major version %q: %w", major, err)
	}
	b, err := strconv.Atoi(strings.TrimRight(minor, "+"))
	if err != nil {
		return false, fmt.Errorf("read the minor version %q: %w", minor, err)
	}
	return a > nativeMajor || a == nativeMajor && b >= nativeMinor, nil
}
