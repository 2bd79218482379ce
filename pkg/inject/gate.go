// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import corev1 "k8s.io/api/core/v1"

// The gate's times. docs/adr/0005 has the reasons.
const (
	// gatePeriod is the shortest that Kubernetes has. It counts only until
	// the first probe starts: that one blocks.
	gatePeriod = 1
	// gateWait is how long one probe blocks. When it ends without routes the
	// kubelet makes an event of what it printed: what is missing, and why.
	gateWait = 25
	// gateTimeout leaves the probe time to print.
	gateTimeout = 30
	// gateFailures × gateWait is a month: the kubelet never ends a registrar
	// because EC2 refuses. The registrar tries again by itself; to end it
	// would release the addresses that are routed, and in a storm of
	// throttling add calls to the storm.
	gateFailures = 100_000
)

// gate holds back every container after the native sidecar until EC2 has
// acknowledged every address (law 7, "ready means routed").
func gate() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
			Command: []string{Binary, "wait", "--timeout=" + seconds(gateWait)},
		}},
		PeriodSeconds: gatePeriod, TimeoutSeconds: gateTimeout,
		FailureThreshold: gateFailures, SuccessThreshold: 1,
	}
}
