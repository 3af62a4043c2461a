package peer

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"fieldphone/rtc"
)

var errTooMany = errors.New("peer: too many requests wait for an answer")

// request is one message that the server has not answered yet. It is sent again
// after a reconnect: the protocol makes repeats harmless.
type request struct {
	id     string
	frame  []byte
	answer chan rtc.Message // of one; nil when nobody waits
}

// request sends a message and waits for its answer, across reconnects.
func (p *Peer) request(ctx context.Context, msg rtc.Message) (rtc.Message, error) {
	r, err := p.enqueue(msg, make(chan rtc.Message, 1))
	if err != nil {
		return nil, err
	}
	select {
	case answer := <-r.answer:
		if refusal, ok := answer.(*rtc.Error); ok {
			return nil, refusal
		}
		return answer, nil
	case <-ctx.Done():
		p.forget(r)
		return nil, ctx.Err()
	case <-p.done:
		return nil, p.Err()
	}
}

// post sends a message that must arrive; its answer is only looked at for an
// error to log.
func (p *Peer) post(msg rtc.Message) {
	if _, err := p.enqueue(msg, nil); err != nil {
		p.log.Warn("peer: a message was not sent", "type", msg.Type(), "error", err)
	}
}

func (p *Peer) enqueue(msg rtc.Message, answer chan rtc.Message) (*request, error) {
	if err := msg.Validate(); err != nil {
		return nil, err
	}
	p.sending.Lock()
	defer p.sending.Unlock()
	if len(p.waiting) >= maxWaiting {
		return nil, errTooMany
	}
	p.nextID++
	id := strconv.FormatUint(p.nextID, 10)
	frame, err := rtc.EncodeRequest(msg, id)
	if err != nil {
		return nil, err
	}
	r := &request{id: id, frame: frame, answer: answer}
	p.waiting = append(p.waiting, r)
	p.writeLocked(frame)
	return r, nil
}

func (p *Peer) forget(r *request) {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(w *request) bool { return w == r })
}

// answered settles the request that a message answers.
func (p *Peer) answered(id string, msg rtc.Message) {
	p.sending.Lock()
	defer p.sending.Unlock()
	i := slices.IndexFunc(p.waiting, func(r *request) bool { return r.id == id })
	if i < 0 {
		return // given up meanwhile, or sent twice
	}
	r := p.waiting[i]
	p.waiting = slices.Delete(p.waiting, i, i+1)
	if r.answer != nil {
		r.answer <- msg
	} else if refusal, ok := msg.(*rtc.Error); ok && refusal.Code != rtc.CodeNoSuchCall {
		p.log.Warn("peer: the server refused a message", "error", refusal)
	}
}

// setWire makes wire the one to write to (nil: none) and sends again what was
// not answered on the last.
func (p *Peer) setWire(wire Wire) {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.wire = wire
	for _, r := range p.waiting {
		p.writeLocked(r.frame)
	}
}

func (p *Peer) send(frame []byte) {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.writeLocked(frame)
}

// writeLocked writes a frame, with sending held. A failure ends the connection,
// which its reader notices.
func (p *Peer) writeLocked(frame []byte) {
	if p.wire == nil {
		return
	}
	if err := p.wire.Write(frame); err != nil {
		p.log.Debug("peer: a frame was not written", "error", err)
		p.wire.Close()
	}
}

// Disconnect cuts the signalling connection as a fault of the network would.
// The Peer connects again at once and resumes.
func (p *Peer) Disconnect() {
	p.sending.Lock()
	defer p.sending.Unlock()
	if p.wire != nil {
		p.wire.Close()
	}
}
