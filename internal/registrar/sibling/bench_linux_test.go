// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import "testing"

// How long an asker waits for an answer, over a bridge.
func BenchmarkQuestionAndAnswer(b *testing.B) {
	segment := newSegment(b, "br")
	asker, answerer := newPod(b, "a"), newPod(b, "b")
	asker.on(eni, asker.attach(b, segment, "net1"))
	answerer.on(eni, answerer.attach(b, segment, "net1"))
	stop := make(chan struct{})
	b.Cleanup(func() { close(stop) })
	go func() {
		for {
			select {
			case h := <-answerer.Heard():
				_ = answerer.Answer(h, holds)
			case <-stop:
				return
			}
		}
	}()
	for b.Loop() {
		asker.says(b, "net1", asks)
		<-asker.Heard()
	}
}
