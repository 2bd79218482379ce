// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"bytes"
	"io"
	"sync"
)

// consoleTail is how much of the kernel's messages an error shows: a panic
// with its stack.
const consoleTail = 8 << 10

// A tail keeps the last bytes that were written.
type tail struct {
	limit int
	mu    sync.Mutex
	bytes []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(t.bytes, p...)
	t.bytes = t.bytes[max(0, len(t.bytes)-t.limit):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.bytes)
}

// A prefixer marks each line, so that nobody takes a guest's line "--- PASS"
// for the host's.
type prefixer struct {
	to     io.Writer
	prefix string
	inLine bool
}

func (p *prefixer) Write(text []byte) (int, error) {
	var marked []byte
	for line := range bytes.Lines(text) {
		if !p.inLine {
			marked = append(marked, p.prefix...)
		}
		marked = append(marked, line...)
		p.inLine = line[len(line)-1] != '\n'
	}
	if _, err := p.to.Write(marked); err != nil {
		return 0, err
	}
	return len(text), nil
}
