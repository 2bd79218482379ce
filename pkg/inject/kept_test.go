// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
)

func decoded(t testing.TB, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// kept says where before has something that after has not. Members may come to a
// map, elements to a list; what there was stays, equal and in its order. An empty
// value counts as nothing.
func kept(before, after any, path string) error {
	switch b := before.(type) {
	case nil:
		return nil
	case map[string]any:
		if len(b) == 0 {
			return nil
		}
		a, ok := after.(map[string]any)
		if !ok {
			return fmt.Errorf("%s was a map and is %T", path, after)
		}
		for k, v := range b {
			if err := kept(v, a[k], path+"."+k); err != nil {
				return err
			}
		}
		return nil
	case []any:
		a, ok := after.([]any)
		if !ok && len(b) > 0 {
			return fmt.Errorf("%s was a list and is %T", path, after)
		}
		at := 0
		for i, v := range b {
			found := slices.IndexFunc(a[at:], func(x any) bool { return kept(v, x, path) == nil })
			if found < 0 {
				return fmt.Errorf("%s[%d] is not there any more, or not in its place", path, i)
			}
			at += found + 1
		}
		return nil
	}
	if !reflect.DeepEqual(before, after) {
		return fmt.Errorf("%s was %v and is %v", path, before, after)
	}
	return nil
}

func TestKeptNoticesLosses(t *testing.T) {
	for _, after := range []string{`{}`, `{"a":[2,1],"b":{"c":null}}`, `{"a":[1],"b":{"c":1}}`, `{"a":{},"b":{"c":1}}`, `{"a":[1,2],"b":{}}`} {
		if err := kept(decoded(t, []byte(`{"a":[1,2],"b":{"c":1}}`)), decoded(t, []byte(after)), "x"); err == nil {
			t.Errorf("%s counts as kept", after)
		}
	}
	if err := kept(decoded(t, []byte(`{"a":[1,2],"b":{},"d":null,"e":[]}`)), decoded(t, []byte(`{"a":[0,1,3,2],"b":{"c":1},"d":[1]}`)), "x"); err != nil {
		t.Error(err)
	}
}
