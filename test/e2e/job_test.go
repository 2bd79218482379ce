// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Job whose pod has a sidecar completes: the sidecar does not keep it alive,
// gates its application, and releases what it had.
func TestJobCompletes(t *testing.T) {
	s := tell(t)
	s.apply(staticN3 + pods(pod{name: "peer", worker: worker1, inject: "init", addresses: []string{"10.0.3.83/24"}}))
	s.running("peer")
	work := pod{
		name: "report", worker: worker2, inject: "sidecar", addresses: []string{"10.0.3.84/24", "2001:db8:0:3::84/64"},
		script: "ping -q -c 1 -W 2 10.0.3.83 >/dev/null",
	}
	s.apply(work.job())
	until(t, podPatience, func() error {
		j, err := the.kube.BatchV1().Jobs(s.ns).Get(t.Context(), "report", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if j.Status.Failed > 0 {
			t.Fatalf("the Job's first packet was lost: %+v", j.Status)
		}
		if j.Status.Succeeded != 1 {
			return fmt.Errorf("the Job has not completed: %+v", j.Status)
		}
		return nil
	})
	s.say("the Job's first packet was answered, and it has completed")
	s.owned("10.0.3.84", "")
	s.owned("2001:db8:0:3::84", "")
}

// job is a Job with that pod.
func (p pod) job() string {
	_, template, _ := strings.Cut(strings.TrimSuffix(p.manifest(), "---\n"), "metadata:")
	template = "metadata:" + strings.Replace(template, "  name: "+p.name+"\n", "", 1) + "  restartPolicy: Never\n"
	return fmt.Sprintf("apiVersion: batch/v1\nkind: Job\nmetadata: {name: %s}\nspec:\n  backoffLimit: 0\n  template:\n    %s\n---\n",
		p.name, strings.ReplaceAll(strings.TrimSpace(template), "\n", "\n    "))
}
