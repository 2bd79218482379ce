// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A sender is a client of a handler that may take its time.
type sender struct {
	body *io.PipeWriter
	end  context.CancelFunc // of the request's context
	got  atomic.Pointer[httptest.ResponseRecorder]
}

// send begins a review of an unknown length.
func send(t *testing.T, h *Handler) *sender {
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	s := &sender{body: in, end: cancel}
	go func() {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/inject", out)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		_ = out.Close()
		s.got.Store(w)
	}()
	return s
}

// write sends some of the body, and waits until the handler has nothing more to do.
func (s *sender) write(body []byte) {
	go func() { _, _ = s.body.Write(body) }()
	synctest.Wait()
}

// finish sends the last of the body.
func (s *sender) finish(body []byte) {
	go func() {
		_, _ = s.body.Write(body)
		_ = s.body.Close()
	}()
	synctest.Wait()
}

// answered is the status of the answer, 0 as long as there is none.
func (s *sender) answered() int {
	synctest.Wait()
	if w := s.got.Load(); w != nil {
		return w.Code
	}
	return 0
}

// largeReview is one of n bytes more than an ordinary one.
func largeReview(n int) []byte {
	return review([]byte(`{"metadata":{"annotations":{"x":"` + strings.Repeat("x", n) + `"}},"spec":{}}`))
}

// TestLargeReviewsTakeTurns: four of the largest are in memory at once; a fifth waits,
// and small ones do not.
func TestLargeReviewsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, all, _ := handler(&world{})
		h.Log = nil
		slow := make([]*sender, 4)
		for i := range slow {
			slow[i] = send(t, h)
			slow[i].write(largeReview(smallBody)[:smallBody+1])
		}
		fifth, gone, late := send(t, h), send(t, h), send(t, h)
		for _, s := range []*sender{fifth, gone} {
			s.finish(largeReview(smallBody))
			if code := s.answered(); code != 0 {
				t.Errorf("a fifth large review got %d", code)
			}
		}
		if w := post(h, "application/json", bytes.NewReader(review(benchPod(shortForm)))); w.Code != http.StatusOK {
			t.Errorf("a small review got %d %s", w.Code, w.Body)
		}

		gone.end()
		if code := gone.answered(); code != http.StatusServiceUnavailable || (*all)[len(*all)-1] != (seen{OutcomeFailed, ReasonBusy}) {
			t.Errorf("one whose client has gone got %d, observed %v", code, *all)
		}
		slow[0].finish(largeReview(smallBody)[smallBody+1:])
		if code := slow[0].answered(); code != http.StatusOK {
			t.Errorf("the first got %d %s", code, slow[0].got.Load().Body)
		}
		if code := fifth.answered(); code != http.StatusOK {
			t.Errorf("the fifth got %d", code)
		}

		again := send(t, h)
		again.write(largeReview(smallBody)[:smallBody+1])
		start := time.Now()
		late.write(largeReview(smallBody)[:smallBody+1])
		time.Sleep(largeWait)
		if code := late.answered(); code != http.StatusServiceUnavailable || !strings.Contains(late.got.Load().Body.String(), "too many large reviews") {
			t.Errorf("one that waited for %v got %d", time.Since(start), code)
		}
		for _, s := range append(slow[1:], again) {
			s.finish(nil)
			if code := s.answered(); code != http.StatusBadRequest {
				t.Errorf("half a review got %d", code)
			}
		}
		if h.large.taken != 0 {
			t.Errorf("%d bytes are not given back", h.large.taken)
		}
	})
}

// TestWhoAnnouncesMuchHoldsNothing until it has sent more than a small review.
func TestWhoAnnouncesMuchHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := handler(&world{})
		h.Observe, h.Log = nil, nil
		slow := make([]*sender, 20)
		for i := range slow {
			slow[i] = send(t, h)
			slow[i].write(largeReview(smallBody)[:smallBody])
		}
		if w := post(h, "application/json", bytes.NewReader(largeReview(MaxBody-1000))); w.Code != http.StatusOK {
			t.Errorf("a large review got %d %s", w.Code, w.Body)
		}
		for _, s := range slow {
			s.finish(nil)
		}
	})
}

// TestABodyTooLargeIsNotRead where its length is told, and else not to its end.
func TestABodyTooLargeIsNotRead(t *testing.T) {
	for _, length := range []int64{MaxBody + 1, -1} {
		h, _, _ := handler(&world{})
		body := bytes.NewReader(largeReview(2 * MaxBody))
		r := httptest.NewRequest(http.MethodPost, "/inject", body)
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = length
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge || body.Len() < MaxBody || length > 0 && body.Len() < 2*MaxBody {
			t.Errorf("%d: %d, %d bytes are not read", length, w.Code, body.Len())
		}
		if h.large.taken != 0 {
			t.Errorf("%d: %d bytes are not given back", length, h.large.taken)
		}
	}
}
