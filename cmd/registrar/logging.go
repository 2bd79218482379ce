// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// maxTermination is what the kubelet reads of a termination message.
// Source: Kubernetes, "Determine the Reason for Pod Failure".
const maxTermination = 4096

// logger writes to the command's output, which nobody waits for; end has the last
// lines written.
func (s *settings) logger(c *cobra.Command) (log *slog.Logger, end func()) {
	q := newLogQueue(c.OutOrStdout(), s.handler)
	return slog.New(s.handler(q)), q.close
}

func (s *settings) handler(w io.Writer) slog.Handler {
	o := &slog.HandlerOptions{Level: s.level}
	if s.logFormat == "text" {
		return slog.NewTextHandler(w, o)
	}
	return slog.NewJSONHandler(w, o)
}

// terminate writes why the program ends where kubectl describe shows it. Only
// a file that is there is written: the kubelet makes it.
func (s *settings) terminate(log *slog.Logger, why error) {
	if s.termination == "" {
		return
	}
	text := why.Error()
	if len(text) >= maxTermination { // and a line's end
		text = strings.ToValidUTF8(text[:maxTermination-len(cut)-1], "") + cut
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
