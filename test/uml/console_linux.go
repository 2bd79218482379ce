// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package uml

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The management console's protocol: a datagram each way.
// Source: Linux, arch/um/drivers/mconsole.h.
const (
	consoleMagic   = 0xcafebabe
	consoleVersion = 2
	consoleText    = 512 // bytes of text at most, with a zero at the end

	// consoleRetry is how soon a kernel is asked again that has not come up.
	consoleRetry = 20 * time.Millisecond
)

// Manage gives a command to the management console of the guest that runs in a
// directory (Command.Directory), such as "config vec2:transport=tap,…" to plug
// a NIC in, or "remove vec2", and returns the answer. It waits for a kernel
// that is still on its way, until ctx ends.
func Manage(ctx context.Context, directory, command string) (string, error) {
	answer, err := manage(ctx, filepath.Join(directory, guestName, "mconsole"), command)
	if err != nil {
		return "", fmt.Errorf("tell the kernel %q: %w", command, err)
	}
	return answer, nil
}

func manage(ctx context.Context, socket, command string) (string, error) {
	if len(command) >= consoleText {
		return "", fmt.Errorf("longer than %d bytes", consoleText-1)
	}
	// The answer goes to a name. It is a file's, since the abstract ones are
	// those of one network namespace, and the guest may run in another.
	own, err := os.MkdirTemp("", "uml-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(own)
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(own, "answer"), Net: "unixgram"})
	if err != nil {
		return "", err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	request := binary.NativeEndian.AppendUint32(nil, consoleMagic)
	request = binary.NativeEndian.AppendUint32(request, consoleVersion)
	request = binary.NativeEndian.AppendUint32(request, uint32(len(command)))
	request = append(request, make([]byte, consoleText)...)
	copy(request[12:], command)
	for {
		_, err := c.WriteToUnix(request, &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err == nil {
			break
		}
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ECONNREFUSED) {
			return "", errors.Join(ctx.Err(), err)
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), err)
		case <-time.After(consoleRetry):
		}
	}
	var text bytes.Buffer
	for reply := make([]byte, 12+consoleText); ; {
		n, err := c.Read(reply)
		if err != nil {
			return "", errors.Join(ctx.Err(), err)
		}
		if n < 12 {
			return "", fmt.Errorf("an answer of %d bytes", n)
		}
		failed, more, size := binary.NativeEndian.Uint32(reply), binary.NativeEndian.Uint32(reply[4:]), binary.NativeEndian.Uint32(reply[8:])
		text.Write(bytes.TrimRight(reply[12:min(n, 12+int(size))], "\x00"))
		switch {
		case failed != 0:
			return "", errors.New(text.String())
		case more == 0:
			return text.String(), nil
		}
	}
}
