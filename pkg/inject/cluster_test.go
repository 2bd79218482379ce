// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slowly is a cluster that takes its time for each network.
type slowly time.Duration

func (s slowly) Network(ctx context.Context, _, _ string) (Network, error) {
	select {
	case <-time.After(time.Duration(s)):
		return Network{Found: true}, nil
	case <-ctx.Done():
		return Network{}, ctx.Err()
	}
}

func (slowly) NamespaceLabels(context.Context, string) (map[string]string, error) { return nil, nil }

// TestAllQuestionsOfAReviewTakeTwoSeconds together: five networks of 2 s each would be
// all the time that an API server waits.
func TestAllQuestionsOfAReviewTakeTwoSeconds(t *testing.T) {
	for _, tt := range []struct {
		each   time.Duration
		speaks bool
		took   time.Duration
		known  int // networks
	}{
		{300 * time.Millisecond, false, 1500 * time.Millisecond, 5},
		{1500 * time.Millisecond, true, 2 * time.Second, 1},
		{time.Minute, true, 2 * time.Second, 0},
		{1500 * time.Millisecond, false, 2 * time.Second, 1},
	} {
		t.Run(fmt.Sprint(tt.each, tt.speaks), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pod := &Pod{Metadata: &Metadata{Annotations: map[string]string{NetworksKey: "n1,n2,n3,n4,n5"}}, Spec: &Spec{}}
				if tt.speaks {
					pod.Metadata.Annotations[KeyInject] = "sidecar"
				}
				start := time.Now()
				f, err := gather(t.Context(), slowly(tt.each), pod, "upf", true)
				if took := time.Since(start); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if failed := err != nil; failed != (tt.known < 5 && !tt.speaks) {
					t.Errorf("%v", err)
				}
				known := 0
				for _, n := range f.Networks {
					if n.Found {
						known++
					}
				}
				if known != tt.known {
					t.Errorf("%d networks are known, want %d", known, tt.known)
				}
			})
		})
	}
}

// TestNetworksThatWereNotLookedUpAreOneWarning: nothing else is claimed of them.
func TestNetworksThatWereNotLookedUpAreOneWarning(t *testing.T) {
	pod := &Pod{Metadata: &Metadata{Annotations: map[string]string{KeyInject: "sidecar", NetworksKey: "n3,n4"}}, Spec: &Spec{}}
	f, err := gather(t.Context(), away{}, pod, "upf", true)
	if err != nil {
		t.Fatal(err)
	}
	d := Decide(f)
	if d.Outcome != OutcomeInjected || len(d.Warnings) != 1 || d.Warnings[0].Reason != ReasonNetworkNotLookedUp || !strings.Contains(d.Warnings[0].Message, "upf/n3, upf/n4") {
		t.Errorf("%s, %v", d.Outcome, d.Warnings)
	}
}
