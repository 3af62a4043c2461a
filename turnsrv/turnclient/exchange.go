package turnclient

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sync"
	"time"
)

// Load is what an Exchange sends.
type Load struct {
	Packets int           // in all
	Bytes   int           // of each, at least 16
	Every   time.Duration // between two; what came late is sent in bursts
	Wait    time.Duration // for the last of them
}

// Outcome is what an Exchange saw. Times are of the whole way: to the server, from relay
// port to relay port, and back.
type Outcome struct {
	Sent, Received  int
	Median, Longest time.Duration
	Took            time.Duration // from the first packet sent to the last received
	Bytes           int           // received
}

// Loss is from 0 to 1.
func (o Outcome) Loss() float64 {
	if o.Sent == 0 {
		return 1
	}
	return 1 - float64(o.Received)/float64(o.Sent)
}

// Kbps is what arrived, in kbit/s.
func (o Outcome) Kbps() float64 {
	if o.Took <= 0 {
		return 0
	}
	return float64(o.Bytes) * 8 / 1000 / o.Took.Seconds()
}

const stampBytes = 16

// Exchange sends packets from one client's channel to another's and says how many arrived.
// Both must have bound their channel to the other's relayed address.
func Exchange(ctx context.Context, from, to *Client, load Load) (Outcome, error) {
	load.Bytes = max(load.Bytes, stampBytes)
	began := time.Now()
	stop := context.AfterFunc(ctx, func() {
		_ = from.conn.SetDeadline(time.Unix(1, 0))
		_ = to.conn.SetDeadline(time.Unix(1, 0))
	})
	defer stop()
	sending, give := context.WithCancel(ctx)
	defer give()
	var sender sync.WaitGroup
	var sent int
	var failed error
	done := make(chan struct{})
	sender.Go(func() {
		defer close(done)
		sent, failed = from.sendAll(sending, load, began)
	})
	outcome, err := to.receiveAll(load, began, done)
	give()
	sender.Wait()
	outcome.Sent = sent
	if ctx.Err() != nil {
		return outcome, ctx.Err()
	}
	return outcome, errors.Join(failed, err)
}

// sendAll paces by the clock, so that a late timer does not lower the rate.
func (c *Client) sendAll(ctx context.Context, load Load, began time.Time) (sent int, err error) {
	if err := c.conn.SetWriteDeadline(began.Add(load.Every*time.Duration(load.Packets) + load.Wait)); err != nil {
		return 0, err
	}
	packet := make([]byte, load.Bytes)
	pace := time.NewTicker(max(load.Every, time.Millisecond))
	defer pace.Stop()
	for sent < load.Packets {
		for due := 1 + int(time.Since(began)/max(load.Every, time.Microsecond)); sent < min(due, load.Packets); sent++ {
			binary.BigEndian.PutUint64(packet, uint64(sent))
			binary.BigEndian.PutUint64(packet[8:], uint64(time.Since(began)))
			err := c.Send(packet)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return sent, nil // the way is slower than the load
			}
			if err != nil {
				return sent, err
			}
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return sent, nil
		}
	}
	return sent, nil
}

// receiveAll reads until everything is there, or until nothing came for a while after the
// last was sent.
func (c *Client) receiveAll(load Load, began time.Time, sent <-chan struct{}) (Outcome, error) {
	var outcome Outcome
	var times []time.Duration
	seen := make([]bool, load.Packets)
	var end time.Time
	for outcome.Received < load.Packets && (end.IsZero() || time.Now().Before(end)) {
		data, err := c.Receive(time.Now().Add(min(load.Wait, 100*time.Millisecond)))
		select {
		case <-sent:
			if end.IsZero() {
				end = time.Now().Add(load.Wait)
			}
		default:
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(began.Add(load.Every*time.Duration(load.Packets)+2*load.Wait)) {
			continue
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			return outcome, err
		}
		now := time.Since(began)
		if len(data) < stampBytes {
			continue
		}
		number := binary.BigEndian.Uint64(data)
		if number >= uint64(len(seen)) || seen[number] {
			continue
		}
		seen[number] = true
		outcome.Received++
		outcome.Bytes += len(data)
		outcome.Took = now
		times = append(times, now-time.Duration(binary.BigEndian.Uint64(data[8:])))
	}
	if len(times) > 0 {
		slices.Sort(times)
		outcome.Median, outcome.Longest = times[len(times)/2], times[len(times)-1]
	}
	return outcome, nil
}
