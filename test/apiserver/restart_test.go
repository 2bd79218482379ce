// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"syscall"
	"testing"
	"time"
)

// leave ends a replica as a cluster does: the kubelet's SIGTERM comes first, and
// the API server is told of it later.
func (w *world) leave(t *testing.T, r *replica, others ...*replica) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(lag)
	if _, err := r.get("/readyz"); err == nil {
		t.Errorf("%s says that it is ready after SIGTERM", r.name)
	}
	w.routes(t, others...)
	select {
	case <-r.ended:
		if r.err != nil {
			t.Errorf("%s: %v", r.name, r.err)
		}
	case <-time.After(endPatience):
		t.Errorf("%s does not end", r.name)
	}
}

// No admission is lost while two replicas are replaced one by one, and then one of
// them goes for good.
func TestRollingRestartAndScaleDown(t *testing.T) {
	w := need(t)
	old := w.serve(t, 2)
	l := w.load(t)

	a := w.replica(t)
	w.routes(t, old[0], old[1], a)
	w.leave(t, old[0], old[1], a)
	b := w.replica(t)
	w.routes(t, old[1], a, b)
	w.leave(t, old[1], a, b)
	if a.admissions(t)+b.admissions(t) == 0 {
		t.Error("the new replicas answered nothing")
	}

	w.leave(t, b, a)
	time.Sleep(lag)
	l.end(t)
}
