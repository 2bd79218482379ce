// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"
	"fmt"
	"strings"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	nadutils "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/utils"
	"k8s.io/apimachinery/pkg/util/validation"
)

// NetworksKey is the annotation by which a pod asks Multus for networks.
const NetworksKey = nadv1.NetworkAttachmentAnnot

// NetworkStatusKey is the annotation in which Multus tells what it attached.
const NetworkStatusKey = nadv1.NetworkStatusAnnot

// A Selection is one network that a pod attaches to.
type Selection struct {
	// Namespace and Name are those of the NetworkAttachmentDefinition.
	Namespace, Name string
	// Interface is the name that the interface will have in the pod.
	Interface string
	// DefaultRoute says that Multus is asked to lead the pod's default route here.
	DefaultRoute bool
}

// String is "namespace/name".
func (s Selection) String() string { return s.Namespace + "/" + s.Name }

// ParseNetworks reads the Multus annotation of a pod in namespace, in its short
// form (ns/name@if, …) or in JSON. An empty annotation is no networks.
// An interface that is not named gets the name that Multus gives: net and its
// place in the list, from 1. Source: k8snetworkplumbingwg/multus-cni, getIfname.
func ParseNetworks(text, namespace string) ([]Selection, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if err := checkList(text); err != nil {
		return nil, err
	}
	if out := parseShort(text, namespace); out != nil {
		return checked(out, namespace)
	}
	elements, err := nadutils.ParseNetworkAnnotation(text, namespace)
	if err != nil {
		return nil, err
	}
	out := make([]Selection, 0, len(elements))
	for i, e := range elements {
		if e.Name == "" {
			return nil, fmt.Errorf("network %d of the list has no name", i+1)
		}
		out = append(out, Selection{
			Namespace: e.Namespace, Name: e.Name, Interface: e.InterfaceRequest,
			DefaultRoute: len(e.GatewayRequest) > 0,
		})
	}
	return checked(named(out), namespace)
}

// checked is the list, if each name in it is one that an object of Kubernetes can
// have: Multus would ask for others in vain. The pod's own namespace is known to be.
func checked(list []Selection, own string) ([]Selection, error) {
	for i, s := range list {
		if len(validation.IsDNS1123Subdomain(s.Name)) > 0 {
			return nil, fmt.Errorf(`network %d of the list has the name %s: write small letters, digits, '-' and '.'; in JSON the namespace has a field of its own, "namespace"`, i+1, quote(s.Name))
		}
		if s.Namespace != own && len(validation.IsDNS1123Label(s.Namespace)) > 0 {
			return nil, fmt.Errorf("network %d of the list has the namespace %s: write small letters, digits and '-', 63 at most", i+1, quote(s.Namespace))
		}
	}
	return list, nil
}

// checkList looks at a text before the library does, which takes its time for each
// network, and takes null for one and panics. Bad JSON is left to it.
func checkList(text string) error {
	if len(text) > maxNetworksText {
		return fmt.Errorf("it is %d bytes long: %d are allowed", len(text), maxNetworksText)
	}
	n := 1 + strings.Count(text, ",")
	if inJSON(text) {
		var items []json.RawMessage
		if json.Unmarshal([]byte(text), &items) != nil {
			return nil
		}
		for i, item := range items {
			if string(item) == "null" {
				return fmt.Errorf(`network %d of the list is null: remove it, or write {"name": …}`, i+1)
			}
		}
		n = len(items)
	}
	if n > maxNetworks {
		return fmt.Errorf("it has %d networks: %d are allowed", n, maxNetworks)
	}
	return nil
}

// inJSON says, as the library does, that a text is not of the short form.
func inJSON(text string) bool { return strings.ContainsAny(text, "[{\"") }

// named fills in the names that Multus gives.
func named(list []Selection) []Selection {
	for i := range list {
		if list[i].Interface == "" {
			list[i].Interface = fmt.Sprint("net", i+1)
		}
	}
	return list
}

// parseShort reads plain texts of the short form, nil for anything else. It is
// there because the library compiles three regular expressions for each network,
// which alone would take longer than the rest of a decision. A fuzz test holds it
// to the library's answers.
func parseShort(text, namespace string) []Selection {
	if inJSON(text) {
		return nil
	}
	out := make([]Selection, 0, 1+strings.Count(text, ","))
	for item := range strings.SplitSeq(text, ",") {
		s := Selection{Namespace: namespace}
		s.Name = strings.TrimSpace(item)
		if before, after, ok := strings.Cut(s.Name, "/"); ok {
			s.Namespace, s.Name = before, after
			if !plain(s.Namespace) {
				return nil
			}
		}
		if before, after, ok := strings.Cut(s.Name, "@"); ok {
			s.Name, s.Interface = before, after
			if !plain(s.Interface) {
				return nil
			}
		}
		if !plain(s.Name) {
			return nil
		}
		out = append(out, s)
	}
	return named(out)
}

// plain says whether s matches [a-z0-9]([-a-z0-9]*[a-z0-9])?.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		inner := c == '-' && i > 0 && i < len(s)-1
		if !inner && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
