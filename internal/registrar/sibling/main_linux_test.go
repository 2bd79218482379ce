// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/usernstest"
)

func TestMain(m *testing.M) { os.Exit(usernstest.Main(m, beNobody)) }

// beNobody speaks on the interface whose index is the argument, without any
// capability. It is the other end of TestNeedsNoRight.
func beNobody(args []string) error {
	index, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("x")); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("this process has rights: %v", err)
	}
	for _, f := range families {
		s, err := openSocket(f.number, index)
		if err == nil {
			err = s.send(example().appendTo(nil))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}
