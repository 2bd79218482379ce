// Copyright The multus-ip-registrar Authors.
// SPDX-License-Identifier: Apache-2.0

package sibling

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// A datagram, all numbers big-endian:
//
//	 0  4  "mipr"
//	 4  1  version, 1
//	 5  1  number of notes, 1 to maxNotes
//	 6  6  the ENI's MAC address
//	12  8  the speaker: a random number, new with each process
//	20  4  the speaker's number of this datagram, the same in its copies
//	24  8  whose question this answers: the asker, 0 for nobody's
//	32  4  and the number of the datagram that asked, 0 without one
//	36     the notes, nothing after them
//
// A note:
//
//	0  1  0x80 question, 0x40 IPv6, the rest the standing
//	1     the address, 4 or 16 bytes
const (
	magic      = "mipr"
	version    = 1
	headLength = 36
	// maxNotes keeps a datagram below what every link carries in one piece:
	// 36 + 64 * 17 bytes of payload and 48 of headers are 1172, IPv6 guarantees
	// 1280 (RFC 8200, section 5).
	maxNotes  = 64
	maxLength = headLength + maxNotes*17

	questionBit  = 0x80
	ipv6Bit      = 0x40
	standingMask = 0x3f
)

// A mac is the link-layer address of an interface: with ipvlan, the ENI's.
type mac [6]byte

func (m mac) String() string { return net.HardwareAddr(m[:]).String() }

// parseMAC reads a MAC address as netwatch writes it.
func parseMAC(text string) (mac, bool) {
	b, err := net.ParseMAC(text)
	if err != nil || len(b) != len(mac{}) {
		return mac{}, false
	}
	return mac(b), true
}

// A name is that of a datagram, the same in all its copies. The zero name is
// nobody's.
type name struct {
	speaker uint64
	number  uint32
}

func (n name) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, n.speaker), n.number)
}

func parseName(b []byte) name {
	return name{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])}
}

// A datagram is what one speaker says at one time on one link.
type datagram struct {
	mac     mac
	name    name
	answers name // the question's, zero for what is no answer
	notes   []Note
}

// appendTo adds the datagram in its form for the wire. The notes were checked,
// and are 1 to maxNotes.
func (d datagram) appendTo(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, version, byte(len(d.notes)))
	b = append(b, d.mac[:]...)
	b = d.answers.appendTo(d.name.appendTo(b))
	for _, n := range d.notes {
		head := byte(n.Standing)
		if n.Question {
			head |= questionBit
		}
		if n.Addr.Is6() {
			head |= ipv6Bit
		}
		b = append(b, head)
		b = append(b, n.Addr.AsSlice()...)
	}
	return b
}

var (
	errForeign = errors.New("not a datagram of a registrar")
	errLength  = errors.New("a datagram with a wrong length")
)

// A versionError says that a registrar of another release speaks.
type versionError byte

func (e versionError) Error() string { return fmt.Sprintf("a datagram of version %d", byte(e)) }

// parse reads a datagram. It takes only what appendTo can have written.
func parse(b []byte) (datagram, error) {
	switch {
	case len(b) < len(magic)+1 || string(b[:len(magic)]) != magic:
		return datagram{}, errForeign
	case b[4] != version:
		return datagram{}, versionError(b[4])
	case len(b) < headLength || len(b) > maxLength || b[5] == 0 || b[5] > maxNotes:
		return datagram{}, errLength
	}
	d := datagram{
		mac:     mac(b[6:12]),
		name:    parseName(b[12:]),
		answers: parseName(b[24:]),
		notes:   make([]Note, 0, b[5]),
	}
	rest := b[headLength:]
	for range b[5] {
		var n Note
		var err error
		if n, rest, err = parseNote(rest); err != nil {
			return datagram{}, err
		}
		d.notes = append(d.notes, n)
	}
	if len(rest) > 0 {
		return datagram{}, errLength
	}
	return d, nil
}

func parseNote(b []byte) (Note, []byte, error) {
	if len(b) == 0 {
		return Note{}, nil, errLength
	}
	head, b := b[0], b[1:]
	length := 4
	if head&ipv6Bit != 0 {
		length = 16
	}
	if len(b) < length {
		return Note{}, nil, errLength
	}
	addr, _ := netip.AddrFromSlice(b[:length])
	n := Note{Addr: addr, Standing: Standing(head & standingMask), Question: head&questionBit != 0}
	return n, b[length:], n.check()
}
