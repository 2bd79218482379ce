// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package model

import "time"

// A timeline is a value that changes at known times, some of which may still
// lie ahead. It is how the data plane lags behind the calls and how IMDS shows
// the past, without a goroutine or a timer.
type timeline[T any] struct {
	changes []change[T] // in order of time
}

type change[T any] struct {
	from  time.Time
	value T
}

// set makes the value v from that time on. A change never overtakes an earlier
// one. What was already past at forget is dropped, but for the last of it.
func (l *timeline[T]) set(from time.Time, v T, forget time.Time) {
	if n := len(l.changes); n > 0 && from.Before(l.changes[n-1].from) {
		from = l.changes[n-1].from
	}
	l.changes = append(l.changes, change[T]{from, v})
	old := 0
	for old+1 < len(l.changes) && !l.changes[old+1].from.After(forget) {
		old++
	}
	l.changes = append(l.changes[:0], l.changes[old:]...)
}

// at returns the value at that time: the earliest known one when the time lies
// before all of them, and the zero value when there is none at all.
func (l *timeline[T]) at(when time.Time) T {
	var v T
	for i, c := range l.changes {
		if i > 0 && c.from.After(when) {
			break
		}
		v = c.value
	}
	return v
}
