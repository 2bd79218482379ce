// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

var some = []ledger.Record{
	{Address: netip.MustParseAddr("10.0.1.100"), ENI: "eni-a", Interface: "net1", MAC: "02:00:00:00:00:0a",
		Standing: ledger.Acknowledged, Since: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)},
	{Address: netip.MustParseAddr("2600:1::100"), ENI: "eni-a", Standing: ledger.InDoubt},
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	dir := t.TempDir()
	if err := Open(dir).Save(some); err != nil {
		t.Fatal(err)
	}
	got, err := Open(dir).Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(some, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoFileIsNoRecords(t *testing.T) {
	got, err := Open(t.TempDir()).Load()
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestEqualRecordsAreNotWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	f := Open(dir)
	if err := f.Save(some); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.Path()); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(some); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the same records were written again (%v)", err)
	}
	if err := f.Save(some[:1]); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Path()); err != nil {
		t.Errorf("other records were not written: %v", err)
	}
}

func TestCorruptFileIsSetAsideAndReported(t *testing.T) {
	for name, content := range map[string]string{
		"empty":          "",
		"not JSON":       "\x00\x01",
		"cut off":        `{"version":1,"claims":[{"addr`,
		"later version":  `{"version":2,"claims":[]}`,
		"unknown field":  `{"version":1,"claims":[],"more":1}`,
		"bad address":    `{"version":1,"claims":[{"address":"10.0.0","eni":"eni-a","standing":"acknowledged","since":"2026-01-02T03:04:05Z"}]}`,
		"no address":     `{"version":1,"claims":[{"eni":"eni-a","standing":"acknowledged","since":"2026-01-02T03:04:05Z"}]}`,
		"no ENI":         `{"version":1,"claims":[{"address":"10.0.0.1","standing":"acknowledged","since":"2026-01-02T03:04:05Z"}]}`,
		"bad standing":   `{"version":1,"claims":[{"address":"10.0.0.1","eni":"eni-a","standing":"owned","since":"2026-01-02T03:04:05Z"}]}`,
		"zone":           `{"version":1,"claims":[{"address":"fe80::1%net1","eni":"eni-a","standing":"lost","since":"2026-01-02T03:04:05Z"}]}`,
		"trailing bytes": `{"version":1,"claims":[]}{`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := Open(dir)
			if err := os.WriteFile(f.Path(), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := f.Load()
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || len(got) != 0 {
				t.Fatalf("got %v, %v; want a *CorruptError and no records", got, err)
			}
			kept, err := os.ReadFile(corrupt.Aside)
			if err != nil || string(kept) != content {
				t.Errorf("the old content is not kept: %q, %v", kept, err)
			}
			if err := f.Save(some); err != nil {
				t.Errorf("a new file cannot be written after it: %v", err)
			}
		})
	}
}

func TestUnwritableDirectoryIsAnError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if err := Open(missing).Save(some); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestHugeFileIsNotRead(t *testing.T) {
	f := Open(t.TempDir())
	if err := os.WriteFile(f.Path(), []byte(strings.Repeat(" ", maxSize+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(); err == nil {
		t.Error("it was read")
	}
}

// FuzzDecode: whatever lies in the file, Decode says an error or records that
// survive being written and read again.
func FuzzDecode(f *testing.F) {
	raw, err := Encode(some)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":1,"claims":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		records, err := Decode(raw)
		if err != nil {
			return
		}
		again, err := Encode(records)
		if err != nil {
			t.Fatalf("records of %q cannot be written: %v", raw, err)
		}
		same, err := Decode(again)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", raw, again, err)
		}
		if diff := cmp.Diff(records, same, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
