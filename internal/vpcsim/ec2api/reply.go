// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package ec2api

import (
	"bytes"
	"encoding/xml"
	"net/http"

	"github.com/multus-ip-registrar/multus-ip-registrar/internal/vpcsim/model"
)

// namespace is that of every answer.
const namespace = "http://ec2.amazonaws.com/doc/" + apiVersion + "/"

// A reply is the body of an answer: a struct that embeds head.
type reply interface{ setRequestID(id string) }

// head is what every answer begins with.
type head struct {
	RequestID string `xml:"requestId"`
}

func (h *head) setRequestID(id string) { h.RequestID = id }

// A list is an element with items. It is there when it is empty, too: clients
// tell "none" from "not said".
type list[T any] struct {
	Items []T `xml:"item"`
}

// done is the answer of actions that say nothing but that it is done.
type done struct {
	head
	Return bool `xml:"return"`
}

// listOf makes a list out of values.
func listOf[T, U any](values []T, convert func(T) U) list[U] {
	var l list[U]
	for _, v := range values {
		l.Items = append(l.Items, convert(v))
	}
	return l
}

func writeReply(w http.ResponseWriter, id, action string, answer reply) {
	answer.setRequestID(id)
	write(w, http.StatusOK, id, xml.Name{Space: namespace, Local: action + "Response"}, answer)
}

type errorReply struct {
	Errors    list1[errorItem] `xml:"Errors"`
	RequestID string           `xml:"RequestID"`
}

type list1[T any] struct {
	Error T `xml:"Error"`
}

type errorItem struct {
	Code    string
	Message string
}

// writeError refuses a call. EC2 closes the connection of one that it answers
// with HTTP 400: docs/aws-facts.md.
func writeError(w http.ResponseWriter, id string, e *model.Error) {
	if e.HTTPStatus == http.StatusBadRequest {
		w.Header().Set("Connection", "close")
	}
	body := errorReply{Errors: list1[errorItem]{errorItem{e.Code, e.Message}}, RequestID: id}
	write(w, e.HTTPStatus, id, xml.Name{Local: "Response"}, body)
}

func write(w http.ResponseWriter, status int, id string, root xml.Name, body any) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).EncodeElement(body, xml.StartElement{Name: root}); err != nil {
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.Header().Set("X-Amzn-Requestid", id)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a caller who is gone needs no answer
}
