// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import "fmt"

// wanted finds who speaks of injection, and what they say: the pod, else its
// networks, else the namespace. Among networks the one that asks for most is
// heard: sidecar before init before false. An empty mode is that nobody speaks.
func wanted(f Facts) (mode Mode, source string, fault *Finding) {
	if value, ok := f.Pod.Metadata.Annotations[KeyInject]; ok {
		mode, err := parseMode(value)
		if err != nil {
			return "", "", &Finding{ReasonBadValue, fmt.Sprintf("annotation %s %v", KeyInject, err)}
		}
		return mode, "pod", nil
	}
	for i, n := range f.Networks {
		if n.Inject == "" {
			continue
		}
		name := "network " + f.Selections[i].String()
		m, err := parseMode(n.Inject)
		if err != nil {
			return "", "", &Finding{ReasonBadValue, fmt.Sprintf("annotation %s of %s %v", KeyInject, name, err)}
		}
		if rank(m) > rank(mode) {
			mode, source = m, name
		}
	}
	if mode != "" || f.NamespaceInject == "" {
		return mode, source, nil
	}
	mode, err := parseMode(f.NamespaceInject)
	if err != nil {
		return "", "", &Finding{ReasonBadValue, fmt.Sprintf("label %s of namespace %s %v", KeyInject, f.Namespace, err)}
	}
	return mode, "namespace " + f.Namespace, nil
}

func parseMode(value string) (Mode, error) {
	m, err := oneOf(value, string(ModeInit), string(ModeSidecar), string(modeFalse))
	return Mode(m), err
}

func rank(m Mode) int {
	switch m {
	case ModeSidecar:
		return 3
	case ModeInit:
		return 2
	case modeFalse:
		return 1
	}
	return 0
}
