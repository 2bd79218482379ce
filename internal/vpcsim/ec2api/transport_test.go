// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/topology"
)

var assignOne = ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id("a1"), PrivateIpAddresses: []string{"10.0.1.60"}}

func TestTransportKeepsTheBubblesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Tune(func(e *topology.EC2) { e.Latency = time.Second })
		c := client("http://ec2.test", "AKIDTEST", Transport{New(v)})
		start := time.Now()
		if _, err := c.AssignPrivateIpAddresses(t.Context(), &assignOne); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("took %s, want 1 s", d)
		}
		if call := v.Calls()[0]; call.AccessKey != "AKIDTEST" || call.Duration != time.Second {
			t.Errorf("the log says %+v", call)
		}
	})
}

func TestTransportEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Tune(func(e *topology.EC2) { e.Latency = time.Hour })
		c := client("http://ec2.test", "AKIDTEST", Transport{New(v)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.AssignPrivateIpAddresses(ctx, &assignOne)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
	})
}

func TestTransportDropsWhatTheSDKRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newWorld(t)
		v.Inject(model.Fault{Drop: model.DropAfter, Count: 1})
		h := &http.Client{Transport: Transport{New(v)}}
		_, err := h.Get("http://ec2.test/?Action=DescribeSubnets&Version=2016-11-15")
		var wrapped *url.Error
		if !errors.As(err, &wrapped) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %#v", err)
		}

		v.Inject(model.Fault{Drop: model.DropAfter, Count: 2})
		c := client("http://ec2.test", "AKIDTEST", Transport{New(v)})
		v.ResetCalls()
		_, err = c.AssignPrivateIpAddresses(t.Context(), &assignOne, func(o *ec2.Options) {
			o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) { s.MaxAttempts = 3 })
		})
		if err != nil || len(v.Calls()) != 3 {
			t.Errorf("got %v after %d calls, want success with the third", err, len(v.Calls()))
		}
	})
}

func TestTransportPassesPanicsOn(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a handler's own panic was swallowed")
		}
	}()
	boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	resp, err := (&http.Client{Transport: Transport{boom}}).Get("http://x/")
	if err == nil {
		resp.Body.Close()
	}
}
