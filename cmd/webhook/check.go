// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/cli"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/inject"
)

const (
	// checkLabel marks the pod of a check. The chart's configuration has a
	// webhook for such pods alone, since pods of the webhook's own namespace
	// never come to it otherwise.
	checkLabel = inject.Prefix + "check"
	// checkTimeout is for what has just been installed: the API servers learn of
	// roles, endpoints and the CA bundle within seconds.
	checkTimeout = time.Minute
	// checkAgain is the wait between two tries.
	checkAgain = time.Second
)

// A check asks the API server what would become of a pod.
type check struct {
	namespace  string
	kubeconfig string
	timeout    time.Duration
}

func checkCommand(env cli.Env) *cobra.Command {
	k := &check{}
	c := &cobra.Command{
		Use:   "check",
		Short: "Have the API server inject a pod that is never made",
		Long: `check asks the API server, by a dry run, to make a pod that asks for the registrar,
and looks whether it comes back injected. So it proves the whole way: API server,
webhook configuration, CA bundle, Service, a replica, and back. It tries again
until --timeout, since a fresh installation needs some seconds.

It needs the right to create pods in --namespace. helm test runs it.`,
		Example: `  webhook check --namespace multus-ip-registrar`,
	}
	c.Flags().StringVar(&k.namespace, "namespace", "", "the webhook's own `namespace`; required")
	c.Flags().StringVar(&k.kubeconfig, "kubeconfig", "", "`file` to reach the API server by (default: the pod's service account)")
	c.Flags().DurationVar(&k.timeout, "timeout", checkTimeout, "`time` to try again in")
	faults := func() []error {
		var out []error
		if k.namespace == "" {
			out = append(out, errors.New("--namespace is empty: name the namespace that the webhook is installed in"))
		}
		if k.timeout <= 0 {
			out = append(out, fmt.Errorf("--timeout is %v: it must be positive", k.timeout))
		}
		return out
	}
	return cli.Strict(c, env, faults, func(c *cobra.Command) error {
		cfg, err := clientConfig(k.kubeconfig)
		if err != nil {
			return fmt.Errorf("find the API server: %w", err)
		}
		// The pod's network does not exist, of which the webhook warns.
		cfg.WarningHandler = rest.NoWarnings{}
		kube, err := kubernetes.NewForConfig(cfg)
		if err != nil {
			return fmt.Errorf("make a client of the API server: %w", err)
		}
		return k.run(c.Context(), kube, c.OutOrStdout())
	})
}

// run tries until a pod is injected or time is up; then it tells what was wrong
// with the last.
func (k *check) run(ctx context.Context, kube kubernetes.Interface, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	var last error
	for {
		start := time.Now()
		pod, err := kube.CoreV1().Pods(k.namespace).Create(ctx, k.pod(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err = k.judge(pod, err); err == nil {
			_, err := fmt.Fprintf(out, "injected: API server, Service and webhook answered in %v\n%s\n",
				time.Since(start).Round(time.Millisecond), pod.Annotations[inject.KeyStatus])
			return err
		}
		// The end of time is no news where something was wrong before.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(checkAgain):
		}
	}
}

// judge says what is wrong with an answer, and what to look at.
func (k *check) judge(pod *corev1.Pod, err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("make a pod by dry run: %w; the check needs the right to create pods in namespace %s", err, k.namespace)
	case err != nil && apierrors.ReasonForError(err) == metav1.StatusReasonUnknown:
		return fmt.Errorf("reach the API server: %w", err)
	case err != nil:
		return fmt.Errorf("make a pod by dry run: %w; see \"No answer\" in docs/troubleshooting.md", err)
	case !injected(pod):
		return fmt.Errorf("the pod came back without the container %s: the API server did not ask the webhook; its MutatingWebhookConfiguration needs a webhook that selects pods of namespace %s with the label %s",
			inject.ContainerName, k.namespace, checkLabel)
	}
	return nil
}

func injected(pod *corev1.Pod) bool {
	for _, list := range [2][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if list[i].Name == inject.ContainerName {
				return true
			}
		}
	}
	return false
}

// pod is one that asks for the registrar, and that neither the restricted Pod Security
// Standard nor a quota that wants resources refuses. It is never made.
func (k *check) pod() *corev1.Pod {
	yes, no, id := true, false, int64(inject.UID)
	small := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(inject.DefaultCPU), corev1.ResourceMemory: resource.MustParse(inject.DefaultMemory)}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: "multus-ip-registrar-check-", Namespace: k.namespace,
			Labels:      map[string]string{checkLabel: "true"},
			Annotations: map[string]string{inject.KeyInject: string(inject.ModeSidecar), inject.NetworksKey: "multus-ip-registrar-check"},
		},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: &no,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &id, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "none", Image: "none.invalid/never-pulled:0",
				Resources:       corev1.ResourceRequirements{Requests: small, Limits: small},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
}
