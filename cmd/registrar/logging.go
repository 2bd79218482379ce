// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

// maxTermination is what the kubelet reads of a termination message.
// Source: Kubernetes, "Determine the Reason for Pod Failure".
const maxTermination = 4096

func (s *settings) logger(c *cobra.Command) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.level}
	if s.logFormat == "text" {
		return slog.New(slog.NewTextHandler(c.OutOrStdout(), o))
	}
	return slog.New(slog.NewJSONHandler(c.OutOrStdout(), o))
}

// terminate writes why the program ends where kubectl describe shows it. Only
// a file that is there is written: the kubelet makes it.
func (s *settings) terminate(log *slog.Logger, why error) {
	if s.termination == "" {
		return
	}
	text := why.Error()
	if len(text) > maxTermination {
		text = text[:maxTermination-len(cut)-1] + cut
	}
	f, err := os.OpenFile(s.termination, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		if !os.IsNotExist(err) {
			log.Warn("termination message not written", "error", err)
		}
		return
	}
	_, err = fmt.Fprintln(f, text)
	if err := errors.Join(err, f.Close()); err != nil {
		log.Warn("termination message not written", "error", err)
	}
}

const cut = " …(more in the log)"
