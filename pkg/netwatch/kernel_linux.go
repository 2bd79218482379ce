// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netwatch

import (
	"context"
	"os"
	"time"
)

// A source is one subscription to a namespace's notifications, with the means
// to list it. After an error it is closed, and another is opened.
type source interface {
	// list makes one full listing.
	list() (listing, error)
	// wait blocks until there is a notification, takes what else is queued,
	// and returns when it read the first; after the limit, if above 0, it
	// returns the zero time. When ctx ends it returns an error.
	wait(ctx context.Context, limit time.Duration) (first time.Time, err error)
	close()
}

// kernel is the source that reads the kernel's tables.
type kernel struct {
	notifications
	requests
}

// openKernel subscribes first, so that whatever happens during the first
// listing leads to a second.
func openKernel(namespace *os.File, bufferSize int) (source, error) {
	var k kernel
	err := inNamespace(namespace, func() (err error) {
		if k.notifications, err = openNotifications(bufferSize); err != nil {
			return err
		}
		if k.requests, err = openRequests(); err != nil {
			k.notifications.close()
		}
		return err
	})
	return k, err
}

func (k kernel) close() {
	k.notifications.close()
	k.requests.close()
}
