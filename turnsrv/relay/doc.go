// Package relay moves packets: many datagrams in one system call
// (recvmmsg, sendmmsg), and trains of equal datagrams as one (UDP GRO and GSO,
// Linux 5.0), on Linux. Elsewhere nothing of it is offered, and its users
// read and write one datagram at a time by package net.
package relay

import "net/netip"

// MaxBatch is how many datagrams a Reader or Writer takes at once.
const MaxBatch = 64

// TrainBuffer (bytes) holds the longest train: a UDP datagram's limit.
const TrainBuffer = 1 << 16

// Datagram is what a Reader read. Data is valid until the next Read.
type Datagram struct {
	Data []byte
	From netip.AddrPort // IPv4 is never written as IPv6
	// Segment is the size of each but the last datagram of a train that the
	// kernel gave as one; 0 for a single datagram.
	Segment int
}

// Count is how many datagrams there are.
func (d Datagram) Count() int {
	if d.Segment == 0 {
		return 1
	}
	return (len(d.Data) + d.Segment - 1) / d.Segment
}

// Each calls do for each datagram of a train, in order.
func (d Datagram) Each(do func(data []byte)) {
	if d.Segment == 0 {
		do(d.Data)
		return
	}
	for rest := d.Data; len(rest) > 0; {
		n := min(d.Segment, len(rest))
		do(rest[:n])
		rest = rest[n:]
	}
}
