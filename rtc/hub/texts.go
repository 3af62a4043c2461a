package hub

import "time"

const (
	maxTextsPerUser = 64    // names remembered of one sender
	maxTextSenders  = 20000 // senders remembered
)

// recentTexts remembers the last texts of each sender by name, so that one
// that is sent again after a reconnect is answered again and delivered once.
type recentTexts struct {
	senders map[string][]sentText
}

type sentText struct {
	message string
	at      time.Time
}

func newRecentTexts() recentTexts { return recentTexts{senders: make(map[string][]sentText)} }

// remember returns when the text was first sent, and whether this is a repeat.
func (r *recentTexts) remember(sender, message string, now time.Time) (at time.Time, again bool) {
	sent := r.senders[sender]
	for _, s := range sent {
		if s.message == message {
			return s.at, true
		}
	}
	if len(sent) == 0 && len(r.senders) >= maxTextSenders {
		clear(r.senders)
	}
	if len(sent) >= maxTextsPerUser {
		sent = sent[1:]
	}
	r.senders[sender] = append(sent, sentText{message, now})
	return now, false
}

// forget takes back the last remember of a text that was not delivered.
func (r *recentTexts) forget(sender, message string) {
	sent := r.senders[sender]
	if n := len(sent) - 1; n >= 0 && sent[n].message == message {
		r.senders[sender] = sent[:n]
	}
}
