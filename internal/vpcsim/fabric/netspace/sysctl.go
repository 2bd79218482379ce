// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package netspace

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Sysctl is one setting below /proc/sys/net, such as "ipv4/ip_forward".
type Sysctl struct{ Key, Value string }

// Set writes settings of the namespace, in order.
func (n *Namespace) Set(settings ...Sysctl) error {
	return n.Run(func() error {
		for _, s := range settings {
			if err := os.WriteFile(filepath.Join("/proc/sys/net", s.Key), []byte(s.Value), 0); err != nil {
				return fmt.Errorf("set net.%s in namespace %s: %w", strings.ReplaceAll(s.Key, "/", "."), n.Name, err)
			}
		}
		return nil
	})
}
