// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/multus-ip-registrar/multus-ip-registrar/pkg/eniassign"
)

// TestEveryCodeIsDocumented: who is paged finds each code in docs/reasons.md,
// and no code there is made up.
func TestEveryCodeIsDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Split(line, "`"); strings.HasPrefix(line, "| `") {
			documented[f[1]] = true
		}
	}
	for _, c := range append(eniassign.Codes(), Codes()...) {
		if !documented[string(c)] {
			t.Errorf("docs/reasons.md lacks %s", c)
		}
		delete(documented, string(c))
	}
	for c := range documented {
		t.Errorf("docs/reasons.md has %s, which no code is", c)
	}
}

func TestReasonOfTellsAllThatWasJoined(t *testing.T) {
	first := &eniassign.Error{Why: &eniassign.Reason{Code: eniassign.NotAuthorized, Class: eniassign.Denied, Text: "Denied.", Cure: "Allow it."}}
	second := &eniassign.Error{Why: &eniassign.Reason{Code: eniassign.IMDSBlocked, Class: eniassign.Permanent, Text: "Blocked.", Cure: "Open it."}}
	r := ReasonOf(errors.Join(first, second))
	if r.Code != eniassign.NotAuthorized || r.String() != "Denied. Blocked. Open it. Allow it." {
		t.Errorf("got %s %q", r.Code, r)
	}
	if first.Why.Text != "Denied." {
		t.Error("the error's own reason was changed")
	}
	if r := ReasonOf(errors.New("odd")); r.Code != eniassign.UnknownError || r.Class != eniassign.Transient {
		t.Errorf("got %+v", r)
	}
}
