// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// MaxBody is the largest review that is read. The API server takes objects of
	// 3 MiB; the review repeats one, encoded anew.
	// Source: k8s.io/apiserver, MaxRequestBodyBytes.
	MaxBody = 7 << 20
	// smallBody is the largest review that waits for no other. One of a usual pod
	// is some 20 KiB.
	smallBody = 64 << 10
	// maxLarge bounds what larger reviews take together, four of the largest: the
	// memory limit of the chart is 256 MiB, anybody in the cluster may send them,
	// and to decode one takes it three times.
	maxLarge = 4 * MaxBody
	// largeWait bounds the wait for a share of it, so that half of the 10 s that an
	// API server waits by default is left to read and to answer. The request's
	// context alone is none: before the body's end the end of an HTTP/1 connection
	// is not noticed. Source: net/http, connReader.startBackgroundRead.
	largeWait = 5 * time.Second
)

// errBusy is that other large reviews did not make room in time.
var errBusy = errors.New("too many large reviews")

// read reads the body of a review; release, which is never nil, gives back its share
// of the memory for large ones. A share is taken once more than smallBody has come:
// who only announces much holds nothing.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	release = func() {}
	if r.ContentLength > MaxBody {
		return nil, release, &http.MaxBytesError{Limit: MaxBody}
	}
	in := http.MaxBytesReader(w, r.Body, MaxBody)
	body, err = io.ReadAll(io.LimitReader(in, smallBody+1))
	if err != nil || len(body) <= smallBody {
		return body, release, err
	}
	size := r.ContentLength
	if size < 0 {
		size = MaxBody
	}
	ctx, cancel := context.WithTimeout(r.Context(), largeWait)
	defer cancel()
	if err := h.large.take(ctx, size); err != nil {
		return nil, release, fmt.Errorf("%w: those of more than %d KiB have %d MiB together: %w", errBusy, smallBody>>10, maxLarge>>20, err)
	}
	whole := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	whole.Write(body)
	_, err = whole.ReadFrom(in)
	return whole.Bytes(), func() { h.large.give(size) }, err
}

// A budget is maxLarge bytes to take from and to give back to. The zero value is whole.
type budget struct {
	mu    sync.Mutex
	taken int64
	freed chan struct{} // closed by the next give; nil where nobody waits
}

// take takes n bytes, maxLarge at most, when they are there.
func (b *budget) take(ctx context.Context, n int64) error {
	for {
		freed := b.try(n)
		if freed == nil {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try takes n bytes, or says when to try again.
func (b *budget) try(n int64) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken+n <= maxLarge {
		b.taken += n
		return nil
	}
	if b.freed == nil {
		b.freed = make(chan struct{})
	}
	return b.freed
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= n
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}
