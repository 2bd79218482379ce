// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package vpcsim

import (
	"slices"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

// Env returns the environment that leads the AWS SDKs of a program in a pod,
// or on a worker, to this VPC: "KEY=value" each. The credentials are those of
// the worker's instance role, so that the log of calls tells the worker. With
// Options.Remote STS gives them.
func (s *Sim) Env(podOrWorker string) []string {
	t := s.VPC.Topology()
	env := []string{"AWS_REGION=" + t.Region, "AWS_ENDPOINT_URL_EC2=" + s.EC2URL}
	worker := s.workerOf(podOrWorker)
	if u := s.imds[worker]; u != "" && u != "http://"+topology.IMDSAddress.Addr().String() {
		env = append(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+u)
	}
	if s.remote != nil {
		return append(env, s.remote.env(s.EC2URL, t.Account, worker)...)
	}
	if s.opts.InstanceRole {
		return env
	}
	c := s.VPC.Credentials(worker)
	return append(env, "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey,
		"AWS_SESSION_TOKEN="+c.Token)
}

// IMDSURL is where a worker's IMDS is reached from the worker and its pods;
// with Options.NoFabric from this machine. It is "" for an unknown worker.
func (s *Sim) IMDSURL(worker string) string { return s.imds[worker] }

func (s *Sim) workerOf(name string) string {
	if s.Fabric != nil {
		if p := s.Fabric.Pod(name); p != nil {
			return p.Worker().Name
		}
	}
	pods := s.VPC.Topology().Pods
	if i := slices.IndexFunc(pods, func(p topology.Pod) bool { return p.Name == name }); i >= 0 {
		return pods[i].Worker
	}
	return name
}
