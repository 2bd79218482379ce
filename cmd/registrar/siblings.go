// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/sibling"
	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/netwatch"
)

// siblings puts the ledger's words into the datagrams of package sibling (ADR 7).
type siblings struct {
	talk *sibling.Conversation
	log  *slog.Logger
}

func (s *siblings) Follow(links []netwatch.Interface) { s.talk.Follow(links) }

func (s *siblings) Say(w ledger.Saying) {
	n := sibling.Note{Addr: w.Addr}
	switch w.Word {
	case ledger.Asks:
		n.Question = true
	case ledger.MayTake:
		n.Standing = sibling.MayTake
	case ledger.Holds:
		n.Standing, n.Question = sibling.Holds, true
	case ledger.LettingGo:
		n.Standing = sibling.Releasing
	case ledger.LetGo:
		n.Standing = sibling.Released
	}
	var err error
	if heard, ok := w.Re.(sibling.Heard); ok {
		err = s.talk.Answer(heard, n)
	} else {
		err = s.talk.Say(w.Interface, n)
	}
	if err != nil {
		s.log.Debug("siblings on the ENI are not told", "error", err)
	}
}

func (s *siblings) Listen(ctx context.Context, heard func(ledger.Saying)) {
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-s.talk.Heard():
			for _, n := range h.Notes {
				if w := word(n); w != "" {
					heard(ledger.Saying{Interface: h.Link, Addr: n.Addr, Word: w, Answer: h.Answer, Re: h})
				}
			}
		}
	}
}

// word is what a note means to the ledger, "" for nothing.
func word(n sibling.Note) ledger.Word {
	switch {
	case n.Standing == sibling.MayTake:
		return ledger.MayTake
	case n.Standing == sibling.Holds:
		return ledger.Holds
	case n.Standing == sibling.Releasing:
		return ledger.LettingGo
	case n.Standing == sibling.Released:
		return ledger.LetGo
	case n.Question:
		return ledger.Asks
	}
	return ""
}
