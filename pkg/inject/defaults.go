// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
)

// Defaults are what an installation says for all its pods.
type Defaults struct {
	// Image is the registrar's, best by digest. Required.
	Image string
	// ImagePullPolicy may be empty: Kubernetes decides by the image's tag.
	ImagePullPolicy corev1.PullPolicy
	// LogLevel and Release stand where a pod has no annotation; empty for the
	// registrar's own (info, always).
	LogLevel, Release string
	// Resources stand where a pod has no annotation; what is empty comes from
	// DefaultCPU, DefaultMemory and GuaranteedCPU.
	Resources Resources
	// Env are further variables of the container, such as AWS_REGION.
	Env []corev1.EnvVar
}

// Check tells all that is wrong with the defaults. Patch counts on it.
func (d Defaults) Check() error {
	var faults []error
	if d.Image == "" {
		faults = append(faults, errors.New("there is no image of the registrar"))
	} else if _, err := reference.ParseNormalizedNamed(d.Image); err != nil {
		faults = append(faults, fmt.Errorf("the image %q cannot be pulled by any kubelet: %w", d.Image, err))
	}
	switch d.ImagePullPolicy {
	case "", corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
	default:
		faults = append(faults, fmt.Errorf("the image pull policy is %q: choose Always, IfNotPresent or Never", d.ImagePullPolicy))
	}
	if d.LogLevel != "" {
		if _, err := oneOf(d.LogLevel, "debug", "info", "warn", "error"); err != nil {
			faults = append(faults, fmt.Errorf("the default log level %w", err))
		}
	}
	if d.Release != "" {
		if _, err := oneOf(d.Release, "always", "never"); err != nil {
			faults = append(faults, fmt.Errorf("the default of release %w", err))
		}
	}
	for _, item := range [2][2]string{{"cpu", d.Resources.CPU}, {"memory", d.Resources.Memory}} {
		if item[1] == "" {
			continue
		}
		if _, err := ParseResources(item[0] + "=" + item[1]); err != nil {
			faults = append(faults, fmt.Errorf("the default of resources %w", err))
		}
	}
	for _, e := range d.Env {
		if e.Name == "" || strings.ContainsAny(e.Name, "= \t\n") {
			faults = append(faults, fmt.Errorf("%q cannot be an environment variable's name", e.Name))
		}
	}
	return errors.Join(faults...)
}
