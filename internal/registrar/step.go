// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar

import (
	"errors"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/control"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/state"
)

// load takes up what an earlier run recorded. Without it the work goes on:
// routed addresses matter more than the file.
func (r *Registrar) load() {
	records, err := r.opts.Store.Load()
	var corrupt *state.CorruptError
	switch {
	case errors.As(err, &corrupt):
		r.opts.Log.Error("state file set aside", "error", err)
	case err != nil:
		r.opts.Log.Error("state file not read", "error", err)
	}
	r.ledger.Restore(r.started, records)
}

// step does what the ledger asks for, tells what it decided, and sets the
// alarm for the next time. Records are saved before a call leaves: a process
// that is killed in between knows afterwards that it may have asked.
func (r *Registrar) step(alarm *time.Timer) {
	now := time.Now()
	r.stops.unwanted(r.ledger)
	w := r.ledger.Next(now)
	r.save()
	if r.saveErr != "" && (w.Wake.IsZero() || w.Wake.After(now.Add(saveRetry))) {
		w.Wake = now.Add(saveRetry)
	}
	r.dispatch(w, now)
	r.tell()
	if w.Wake.IsZero() {
		alarm.Stop()
		return
	}
	alarm.Reset(w.Wake.Sub(now))
}

func (r *Registrar) save() {
	err := r.opts.Store.Save(r.ledger.Records())
	switch {
	case err == nil && r.saveErr != "":
		r.saveErr = ""
		r.opts.Log.Info("state file is kept again")
	case err != nil && r.saveErr != err.Error():
		r.saveErr = err.Error()
		r.opts.Log.Error("state file not written", "error", err,
			"cure", "give the registrar a writable --state-dir (an emptyDir) with room; until then a restart of this container forgets which addresses are its own")
	}
}

// dispatch starts the work, what a failover waits for first; each piece comes
// back through answers.
func (r *Registrar) dispatch(w ledger.Work, now time.Time) {
	for _, c := range w.Calls {
		c, answered := r.stops.add(c)
		r.calls.Go(func() {
			outcomes := r.opts.Cloud.Do(r.workUntil, c)
			r.answers <- func(at time.Time) { answered(); r.ledger.Done(at, c, outcomes) }
		})
	}
	r.talk(w.Say)
	if w.Inventory {
		r.calls.Go(func() {
			inv, err := r.opts.Cloud.Inventory(r.workUntil, w.MACs)
			r.answers <- func(at time.Time) { r.ledger.Inventoried(at, now, inv, ledger.ReasonOf(err)) }
		})
	}
	if len(w.Describe) > 0 {
		r.calls.Go(func() {
			enis, err := r.opts.Cloud.Describe(r.workUntil, w.Describe)
			r.answers <- func(at time.Time) { r.ledger.Described(at, now, w.Describe, enis, ledger.ReasonOf(err)) }
		})
	}
	for _, k := range w.Looks {
		r.calls.Go(func() { r.answers <- r.look(k, now) })
	}
	for _, c := range w.Probes {
		r.calls.Go(func() {
			why := r.opts.Cloud.ProbeRoute(r.workUntil, c)
			r.answers <- func(at time.Time) { r.ledger.Probed(at, c, why) }
		})
	}
	for _, e := range w.Hints {
		r.calls.Go(func() {
			got, err := r.opts.Cloud.Hint(r.workUntil, e)
			r.answers <- func(at time.Time) { r.ledger.Hinted(at, now, e.ID, got, err) }
		})
	}
}

// talk says something to the siblings. Which interfaces they are talked to on
// changes with the snapshot, the inventory and the annotations.
func (r *Registrar) talk(say []ledger.Saying) {
	if r.opts.Siblings == nil {
		return
	}
	if !r.draining { // the last words are said where the addresses were
		r.opts.Siblings.Follow(r.ledger.Watched())
	}
	for _, s := range say {
		r.opts.Siblings.Say(s)
	}
}

// look asks EC2 where addresses are.
func (r *Registrar) look(k ledger.Look, now time.Time) func(time.Time) {
	if len(k.Tables) > 0 {
		routes, err := r.opts.Cloud.Routes(r.workUntil, k.Tables, k.Addrs)
		return func(at time.Time) { r.ledger.LookedUpRoutes(at, now, k, routes, ledger.ReasonOf(err)) }
	}
	holders, err := r.opts.Cloud.Holders(r.workUntil, k.About, k.Addrs)
	return func(at time.Time) { r.ledger.Looked(at, now, k, holders, ledger.ReasonOf(err)) }
}

// tell logs and counts the ledger's decisions, and publishes how it stands.
func (r *Registrar) tell() {
	for _, e := range r.ledger.Events() {
		logEvent(r.opts.Log, e)
		if o := r.opts.Observer; o != nil {
			o.Decided(e)
			if e.Kind == ledger.Asked && !e.Noticed.IsZero() {
				o.Reacted(time.Since(e.Noticed))
			}
		}
	}
	waiting := r.ledger.Waiting()
	if o := r.opts.Observer; o != nil {
		o.Stands(r.ledger.Count(), len(waiting) == 0)
	}
	if r.opts.Publish != nil {
		r.opts.Publish(control.Document{
			Version: r.opts.Version, Mode: r.opts.Mode, Started: r.started,
			Ready: len(waiting) == 0, Waiting: waiting, Warnings: r.ledger.Concerns(),
			StateFile: r.saveErr, Addresses: r.ledger.Rows(),
		})
	}
}
