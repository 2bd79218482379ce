// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
)

// maxAllocs is the goal for Decide and Patch on a pod of three containers and
// four networks.
const maxAllocs = 200

// benchPod is as the API server sends a UPF's: three containers with variables,
// mounts and probes, four networks.
func benchPod(networks string) []byte {
	container := func(i int) string {
		var env, mounts []string
		for j := range 12 {
			env = append(env, fmt.Sprintf(`{"name":"VARIABLE_%d","value":"some value of usual length %d"}`, j, j))
			mounts = append(mounts, fmt.Sprintf(`{"name":"volume-%d","mountPath":"/etc/path/%d"}`, j%4, j))
		}
		return fmt.Sprintf(`{"name":"c%d","image":"registry.example/upf:1","env":[%s],"volumeMounts":[%s],"resources":{"limits":{"cpu":"2","memory":"4Gi"},"requests":{"cpu":"1","memory":"4Gi"}},
		 "livenessProbe":{"httpGet":{"path":"/","port":80},"periodSeconds":10},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}`,
			i, strings.Join(env, ","), strings.Join(mounts, ","))
	}
	annotations, _ := json.Marshal(map[string]string{
		KeyInject: "sidecar", KeyInterfaces: "net1,net2,net3,net4", NetworksKey: networks, "prometheus.io/scrape": "true",
	})
	return fmt.Appendf(nil, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"upf-0","generateName":"upf-","namespace":"upf","labels":{"app":"upf"},"annotations":%s,
	 "ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"upf","uid":"1"}]},
	 "spec":{"volumes":[{"name":"a","emptyDir":{}},{"name":"b","configMap":{"name":"b"}}],"containers":[%s,%s,%s],"restartPolicy":"Always","terminationGracePeriodSeconds":30}}`,
		annotations, container(0), container(1), container(2))
}

const (
	shortForm = "n2,n3@net2,nets/n4,n6"
	jsonForm  = `[{"name":"n2"},{"name":"n3","interface":"net2"},{"name":"n4","namespace":"nets"},{"name":"n6","ips":["10.0.4.7/24"]}]`
)

func benchWorld() *world {
	w := &world{}
	w.Namespace.Name = "upf"
	for _, n := range [][2]string{{"upf", "n2"}, {"upf", "n3"}, {"nets", "n4"}, {"upf", "n6"}} {
		nad := &nadv1.NetworkAttachmentDefinition{}
		nad.Namespace, nad.Name = n[0], n[1]
		nad.Spec.Config = `{"cniVersion":"1.0.0","type":"ipvlan","master":"eth1","mode":"l2","ipam":{"type":"whereabouts","range":"10.0.1.0/24","exclude":["10.0.1.0/30"]}}`
		w.NADs = append(w.NADs, nad)
	}
	return w
}

// decideAndPatch is everything between the parsed pod and the patch's bytes: the
// Multus annotation, the networks, the decision and the patch.
func decideAndPatch(t testing.TB, w *world, pod *Pod) []byte {
	f, err := gather(t.Context(), w, pod, "upf", true)
	if err != nil {
		t.Fatal(err)
	}
	d := Decide(f)
	ops, err := Patch(pod, d, defaults())
	if err != nil || d.Outcome != OutcomeInjected || len(d.Warnings) > 0 {
		t.Fatal(d, err)
	}
	raw, err := json.Marshal(ops)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAllocations(t *testing.T) {
	for name, networks := range map[string]string{"short form": shortForm, "JSON": jsonForm} {
		pod, err := ParsePod(benchPod(networks))
		if err != nil {
			t.Fatal(err)
		}
		w := benchWorld()
		n := math.Inf(1)
		for range 5 { // the race detector has pools lose what they hold, at random
			n = min(n, testing.AllocsPerRun(20, func() { decideAndPatch(t, w, pod) }))
		}
		t.Logf("%s: %v allocations", name, n)
		if n > maxAllocs {
			t.Errorf("%s: %v allocations, the goal is %d", name, n, maxAllocs)
		}
	}
}

func BenchmarkDecideAndPatch(b *testing.B) {
	for name, networks := range map[string]string{"short": shortForm, "json": jsonForm} {
		b.Run(name, func(b *testing.B) {
			pod, err := ParsePod(benchPod(networks))
			if err != nil {
				b.Fatal(err)
			}
			w := benchWorld()
			b.ReportAllocs()
			for b.Loop() {
				decideAndPatch(b, w, pod)
			}
		})
	}
}

func BenchmarkParsePod(b *testing.B) {
	raw := benchPod(shortForm)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePod(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandler(b *testing.B) {
	h := &Handler{Cluster: benchWorld(), NativeSidecars: func() bool { return true }, Defaults: defaults()}
	body := review(benchPod(shortForm))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			text, _ := io.ReadAll(w.Body)
			b.Fatal(w.Code, string(text))
		}
	}
}
