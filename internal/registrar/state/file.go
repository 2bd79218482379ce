// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/registrar/ledger"
)

const (
	// Name is the file's name in the state directory.
	Name = "state.json"
	// Version is the form of the file. A file of another version is set aside.
	Version = 1
	// maxSize bounds what is read: an ENI has at most some hundred addresses,
	// a record about 200 bytes.
	maxSize = 4 << 20
)

// document is the file's content.
type document struct {
	Version int             `json:"version"`
	Claims  []ledger.Record `json:"claims"`
}

// A File is the state file in a directory.
type File struct {
	dir  string
	last []byte // what was written last
}

// Open is the state file in dir. Nothing is read or written yet.
func Open(dir string) *File { return &File{dir: dir} }

// Path is where the file lies.
func (f *File) Path() string { return filepath.Join(f.dir, Name) }

// Load reads the records; none where there is no file. A file that cannot be
// understood is renamed, kept, and reported by a *CorruptError; the records
// are none then, and the caller goes on.
func (f *File) Load() ([]ledger.Record, error) {
	raw, err := readAtMost(f.Path(), maxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state file: %w", err)
	}
	records, err := Decode(raw)
	if err == nil {
		f.last = raw
		return records, nil
	}
	aside := fmt.Sprintf("%s.corrupt-%d", f.Path(), time.Now().UnixNano())
	return nil, &CorruptError{Path: f.Path(), Aside: aside, Err: err, RenameErr: os.Rename(f.Path(), aside)}
}

// A CorruptError says that the state file was not understood.
type CorruptError struct {
	Path, Aside    string
	Err, RenameErr error
}

func (e *CorruptError) Error() string {
	if e.RenameErr != nil {
		return fmt.Sprintf("state file %s is unusable (%v) and could not be set aside (%v); going on as if there were none",
			e.Path, e.Err, e.RenameErr)
	}
	return fmt.Sprintf("state file %s is unusable (%v); it was set aside as %s, going on as if there were none", e.Path, e.Err, e.Aside)
}

// Unwrap is what was wrong with the content.
func (e *CorruptError) Unwrap() error { return e.Err }

// Decode reads a state file's content strictly.
func Decode(raw []byte) ([]ledger.Record, error) {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return nil, err
	}
	if version.Version != Version {
		return nil, fmt.Errorf("its version is %d, this program writes %d", version.Version, Version)
	}
	var d document
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, err
	}
	for i, r := range d.Claims {
		switch {
		case !r.Address.IsValid() || r.Address.Zone() != "" || r.Address.Is4In6():
			return nil, fmt.Errorf("claim %d has the address %q", i, r.Address)
		case r.ENI == "":
			return nil, fmt.Errorf("claim %d (%s) names no ENI", i, r.Address)
		case r.Standing != ledger.Acknowledged && r.Standing != ledger.InDoubt && r.Standing != ledger.Lost:
			return nil, fmt.Errorf("claim %d (%s) has the standing %q", i, r.Address, r.Standing)
		}
	}
	return d.Claims, nil
}

// Encode is the content for the records.
func Encode(records []ledger.Record) ([]byte, error) {
	if records == nil {
		records = []ledger.Record{}
	}
	raw, err := json.Marshal(document{Version, records})
	return append(raw, '\n'), err
}

// Save writes the records, unless the file has them already. A reader, and a
// process killed half-way, sees the old content or the new, never a mixture.
// It does not wait for the disk: a state file need not outlive its worker, and
// a floating IP must not wait for an fsync.
func (f *File) Save(records []ledger.Record) error {
	raw, err := Encode(records)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if bytes.Equal(raw, f.last) {
		return nil
	}
	next := f.Path() + ".next"
	if err := os.WriteFile(next, raw, 0o600); err != nil {
		return fmt.Errorf("write state file: %w", err)
	}
	if err := os.Rename(next, f.Path()); err != nil {
		return fmt.Errorf("put state file in place: %w", err)
	}
	f.last = raw
	return nil
}

func readAtMost(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), limit)
	}
	return os.ReadFile(path)
}
