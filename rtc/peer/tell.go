package peer

import (
	"net/netip"
	"time"

	"fieldphone/rtc"
)

// tellEvery is the pace of call.report (PROTOCOL.md).
const tellEvery = 5 * time.Second

// told is what the last call.report was made of.
type told struct {
	at     time.Time
	report Report
}

// tell sends the server a call.report, if media run. It is for run's goroutine.
func (c *Call) tell(last *told) {
	if c.conn == nil || c.conn.feed != nil || !c.conn.isConnected() {
		return
	}
	now, report := time.Now(), c.conn.report()
	again := last.report.Gen == report.Gen
	if report.Pair == nil || again && now.Sub(last.at) < time.Second {
		return
	}
	msg := &rtc.CallReport{
		Call: c.id, Gen: report.Gen, Path: report.Pair.path(), RTTMS: milliseconds(report.Pair.RTT),
	}
	if again {
		between(msg, last.report, report, now.Sub(last.at))
	} else {
		msg.SetupMS = report.Connected.Milliseconds()
	}
	*last = told{now, report}
	frame, err := rtc.EncodeRequest(msg, "")
	if err == nil {
		err = msg.Validate()
	}
	if err != nil {
		c.peer.log.Warn("peer: a report was not sent", "error", err)
		return
	}
	c.peer.send(frame) // of no use later, so it is not kept
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// between fills in the rates and the loss of the time between two reports.
func between(msg *rtc.CallReport, before, after Report, took time.Duration) {
	rate := func(count func(Flow) Count) float64 {
		bytes := count(after.Audio).Bytes + count(after.Video).Bytes - count(before.Audio).Bytes - count(before.Video).Bytes
		return float64(bytes) * 8 / 1000 / took.Seconds()
	}
	msg.UpKbps = rate(func(f Flow) Count { return f.Sent })
	msg.DownKbps = rate(func(f Flow) Count { return f.Received })
	received := after.Audio.Received.Packets + after.Video.Received.Packets - before.Audio.Received.Packets - before.Video.Received.Packets
	lost := int64(after.Audio.Lost+after.Video.Lost) - int64(before.Audio.Lost+before.Video.Lost)
	if lost > 0 { // fewer than before: what was late has come
		msg.Loss = float64(lost) / float64(uint64(lost)+received)
	}
}

// path is the pair as the protocol tells it.
func (p *Pair) path() rtc.Path {
	path := rtc.Path{
		Local: rtc.Candidate(p.Local.Type), Remote: rtc.Candidate(p.Remote.Type), Protocol: p.Local.Protocol,
		RelayProtocol: p.Local.RelayProtocol,
	}
	path.Relay, path.RemoteRelay = p.Local.relay(), p.Remote.relay()
	return path
}

// relay is the relayed transport address, or empty.
func (c Candidate) relay() string {
	if c.Type != string(rtc.Relayed) || c.Addr.Addr() == (netip.Addr{}) {
		return ""
	}
	return c.Addr.String()
}
