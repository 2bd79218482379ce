// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package registrar

import (
	"context"
	"log/slog"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

// logEvent writes one line for one decision.
func logEvent(log *slog.Logger, e ledger.Event) {
	var attrs []slog.Attr
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	if e.Target.Addr.IsValid() {
		add("address", e.Target.Addr.String())
	}
	add("interface", e.Interface)
	add("eni", e.Target.ENI)
	add("route_table", e.Target.Table)
	if r := e.Reason; r != nil {
		add("code", string(r.Code))
		add("reason", r.Text)
		add("cure", r.Cure)
		add("owner", r.Owner)
		add("ec2_code", r.EC2Code)
	}
	if e.Kind == ledger.Acked && !e.Noticed.IsZero() {
		attrs = append(attrs, slog.Float64("took_ms", float64(time.Since(e.Noticed).Microseconds())/1000))
	}
	if e.Failover {
		attrs = append(attrs, slog.Bool("after_start", true))
	}
	log.LogAttrs(context.Background(), level(e.Kind), string(e.Kind), attrs...)
}

func level(k ledger.Kind) slog.Level {
	switch k {
	case ledger.Asked:
		return slog.LevelDebug
	case ledger.WasLost, ledger.WasContested, ledger.WasRefused, ledger.NotReleased, ledger.Misplaced,
		ledger.CannotDescribe, ledger.CannotRoute, ledger.ENIVanished, ledger.NoInventory, ledger.Taken:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
