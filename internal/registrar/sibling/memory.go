// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import "hash/maphash"

// remembered is how many datagrams are known again. The last copy leaves 3 s
// after the first (see copies); so many datagrams in that time are a flood.
const remembered = 256

// A memory knows the copies of what was heard. Its size is fixed: siblings
// cannot make it grow. It goes by the whole datagram, hashed with a seed that
// nobody else knows: who guesses a speaker's next number cannot make the real
// datagram pass for a copy.
type memory struct {
	seed maphash.Seed
	ring [remembered]uint64
	next int
	full bool
}

// first says whether this is the first copy, and remembers it.
func (m *memory) first(b []byte) bool {
	sum := maphash.Bytes(m.seed, b)
	known := m.ring[:m.next]
	if m.full {
		known = m.ring[:]
	}
	for _, k := range known {
		if k == sum {
			return false
		}
	}
	m.ring[m.next] = sum
	if m.next++; m.next == remembered {
		m.next, m.full = 0, true
	}
	return true
}
