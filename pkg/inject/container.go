// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// container is the registrar's, to run one of its commands.
func (d Decision) container(name, command string, def Defaults, grace *int64) corev1.Container {
	yes, no, id := true, false, int64(UID)
	return corev1.Container{
		Name:                     name,
		Image:                    def.Image,
		ImagePullPolicy:          def.ImagePullPolicy,
		Args:                     []string{command},
		Env:                      d.environment(command, def, grace),
		Resources:                d.resources(def),
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		VolumeMounts: []corev1.VolumeMount{
			{Name: StateVolume, MountPath: StateDir},
			{Name: PodInfoVolume, MountPath: PodInfoDir, ReadOnly: true},
		},
		// The restricted Pod Security Standard, and no root file system.
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot: &yes, RunAsUser: &id, RunAsGroup: &id,
			AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
}

// maxEnv is how many variables environment makes at most, but for the defaults'.
const maxEnv = 8

// environment is what the registrar is told: flags of cmd/registrar by their
// variables. A variable that it does not know would be passed over in silence,
// so nothing is added here before it has the flag.
func (d Decision) environment(command string, def Defaults, grace *int64) []corev1.EnvVar {
	env := make([]corev1.EnvVar, 0, maxEnv+len(def.Env))
	add := func(name, value string) {
		if value != "" {
			env = append(env, corev1.EnvVar{Name: name, Value: value})
		}
	}
	// Multus writes it before any container starts, but the kubelet may not
	// have seen it by then; it is then empty, and the file has it later.
	env = append(env, corev1.EnvVar{Name: "REGISTRAR_NETWORK_STATUS", ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.annotations['" + NetworkStatusKey + "']"},
	}})
	add("REGISTRAR_ANNOTATIONS_FILE", AnnotationsFile)
	add("REGISTRAR_INTERFACES", strings.Join(d.Settings.Interfaces, ","))
	add("REGISTRAR_FLOATING_IPS", addresses(d.Settings.FloatingIPs))
	add("REGISTRAR_ROUTE_TABLES", strings.Join(d.Settings.RouteTables, ","))
	add("REGISTRAR_RELEASE", first(d.Settings.Release, def.Release))
	add("REGISTRAR_LOG_LEVEL", first(d.Settings.LogLevel, def.LogLevel))
	if command == commandSidecar {
		add("REGISTRAR_SHUTDOWN_TIMEOUT", shutdown(grace))
	}
	return append(env, def.Env...)
}

// addresses writes prefixes as the registrar reads them; those of one address
// without their length.
func addresses(list []netip.Prefix) string {
	out := make([]string, len(list))
	for i, p := range list {
		if out[i] = p.String(); p.IsSingleIP() {
			out[i] = p.Addr().String()
		}
	}
	return strings.Join(out, ",")
}

// The commands of cmd/registrar.
const (
	commandInit    = "init"
	commandSidecar = "sidecar"
)

// defaultGrace is the pod's grace period that the registrar's own default of
// 25 s is made for. Source: k8s.io/api core/v1, DefaultTerminationGracePeriod.
const defaultGrace = 30

// shutdown is the time to release addresses in, for pods whose grace period is
// shorter than usual: four fifths of it. Empty for the registrar's default.
func shutdown(grace *int64) string {
	if grace == nil || *grace >= defaultGrace || *grace <= 0 {
		return ""
	}
	return (time.Duration(*grace) * time.Second * 4 / 5).String()
}

// resources are the requests. Memory is limited to them, so that a fault here
// ends this container, not the application's. CPU is not, or the kernel would
// stop the process in the middle of a failover; but see guaranteed. Of what the pod
// shares the container has neither, as a limit alone is a request too, unless the
// pod's annotation says how much. Source: k8s.io/kubernetes, SetDefaults_Pod.
func (d Decision) resources(def Defaults) corev1.ResourceRequirements {
	usual := def.Resources.over(Resources{CPU: DefaultCPU, Memory: DefaultMemory})
	if d.Guaranteed {
		usual.CPU = more(usual.CPU, GuaranteedCPU)
	}
	r := d.Settings.Resources.over(usual)
	// Both were parsed before; what is not a quantity cannot come here.
	cpu, memory := resource.MustParse(r.CPU), resource.MustParse(r.Memory)
	out := corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: memory},
	}
	if d.Guaranteed {
		out.Limits[corev1.ResourceCPU] = cpu
	}
	said := map[corev1.ResourceName]string{corev1.ResourceCPU: d.Settings.Resources.CPU, corev1.ResourceMemory: d.Settings.Resources.Memory}
	for _, name := range d.Shared {
		if said[name] == "" {
			delete(out.Requests, name)
			delete(out.Limits, name)
		}
	}
	return out
}

// more is the greater of two quantities.
func more(a, b string) string {
	x, y := resource.MustParse(a), resource.MustParse(b)
	if x.Cmp(y) > 0 {
		return a
	}
	return b
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// seconds formats a duration of whole seconds as a flag's value.
func seconds(n int32) string { return strconv.Itoa(int(n)) + "s" }
