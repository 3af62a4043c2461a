package chat

import (
	"errors"

	"fieldphone/rtc"
)

// Text carries out text.send, text.edit, text.delete or text.mark of a device.
// It never waits: answered gets the answer, or why there is none, from another
// goroutine. The error is an *rtc.Error.
func (s *Service) Text(by Device, msg rtc.Message, answered func(rtc.Message, error)) {
	done := func(answer any, err error) {
		reply, _ := answer.(rtc.Message)
		answered(reply, err)
	}
	switch m := msg.(type) {
	case *rtc.TextSend:
		s.submit(by.User, func(b *batch) (outcome, error) { return b.send(by, m) }, done)
	case *rtc.TextEdit:
		s.submit(by.User, func(b *batch) (outcome, error) { return b.edit(by, m) }, done)
	case *rtc.TextDelete:
		s.submit(by.User, func(b *batch) (outcome, error) { return b.remove(by, m) }, done)
	case *rtc.TextMark:
		s.submit(by.User, func(b *batch) (outcome, error) { return b.mark(by, m) }, done)
	default:
		answered(nil, rtc.NewError(rtc.CodeUnknownType, "only the server sends this"))
	}
}

func blocked() error {
	return rtc.NewError(rtc.CodeBlocked, "this person takes no messages from you")
}

// refuses tells whether the other of two takes nothing from this one.
func (b *batch) refuses(r room) bool { return !r.group() && b.s.cfg.Blocked(r.peer(), r.me.ID) }

func (b *batch) send(by Device, m *rtc.TextSend) (outcome, error) {
	key, ok := Key(by.User, m.Chat)
	if !ok {
		return outcome{}, noSuchChat()
	}
	name := key + " " + m.Message
	if out, again, err := b.repeat(by, key, m); again || err != nil {
		out.stored = name
		return out, err
	}
	var r room
	var err error
	if rtc.IsGroup(m.Chat) {
		r, err = b.present(by.User, m.Chat)
	} else {
		if b.s.cfg.Blocked(m.Chat, by.User) {
			if _, err := b.Person(m.Chat); err != nil {
				return outcome{}, missing(err)
			}
			return outcome{}, blocked()
		}
		r, err = b.between(by.User, m.Chat)
	}
	if err != nil {
		return outcome{}, err
	}
	author, err := b.Person(by.User)
	if err != nil {
		return outcome{}, missing(err)
	}
	text, err := b.add(&r, Message{Unread: true, TextMessage: rtc.TextMessage{
		Message: m.Message, From: author.User, Kind: rtc.KindText, Body: m.Body, File: m.File,
	}})
	return outcome{
		stored: name, answer: sent(text, text.Rev),
		changes: []Change{{Key: r.Key, To: r.all(), Except: by, Message: &text}},
	}, err
}

func sent(m rtc.TextMessage, rev int64) *rtc.TextSent {
	return &rtc.TextSent{Message: m.Message, Pos: m.Pos, Rev: rev, ServerTime: m.ServerTime}
}

// repeat answers a text that is stored already, also to one who has left the
// group or was blocked since.
func (b *batch) repeat(by Device, key string, m *rtc.TextSend) (out outcome, again bool, err error) {
	me, err := b.Person(by.User)
	if err != nil {
		return outcome{}, false, missing(err)
	}
	c, err := b.Chat(key)
	if errors.Is(err, ErrNotFound) {
		return outcome{}, false, nil
	} else if err != nil {
		return outcome{}, false, err
	}
	old, err := b.Message(c.ID, m.Message)
	if errors.Is(err, ErrNotFound) {
		return outcome{}, false, nil
	} else if err != nil {
		return outcome{}, false, err
	}
	r, err := b.enter(by.User, m.Chat)
	if err != nil || r.me.Born != me.Born {
		return outcome{}, false, nil // of an account that had this id before
	}
	if old.From.ID != by.User || old.Kind != rtc.KindText {
		return outcome{}, false, rtc.NewError(rtc.CodeBadData, "message is the name of another message of this chat")
	}
	if _, doubtful := b.s.doubtful[key+" "+m.Message]; doubtful {
		out.changes = []Change{{Key: key, To: r.all(), Except: by, Message: &old.TextMessage}}
	}
	rev := old.Rev
	if old.Edited != 0 || old.Deleted != 0 {
		// The sender believes that it is as it was: the version it gets is the
		// later one.
		rev--
		out.changes = append(out.changes, Change{Key: key, To: []string{by.User}, Message: &old.TextMessage})
	}
	out.answer = sent(old.TextMessage, rev)
	return out, true, nil
}

// own finds a text that is to be changed.
func (b *batch) own(by, chat, message string) (room, Message, error) {
	r, err := b.present(by, chat)
	if err != nil {
		return r, Message{}, err
	}
	m, err := b.Message(r.ID, message)
	if errors.Is(err, ErrNotFound) || err == nil && m.Kind != rtc.KindText {
		return r, m, rtc.NewError(rtc.CodeNoSuchText, "there is no such text in this chat")
	}
	return r, m, err
}

func (b *batch) edit(by Device, e *rtc.TextEdit) (outcome, error) {
	r, m, err := b.own(by.User, e.Chat, e.Message)
	switch {
	case err != nil:
		return outcome{}, err
	case m.From.ID != by.User:
		return outcome{}, rtc.NewError(rtc.CodeNotAllowed, "only whoever sent it may change it")
	case m.Deleted != 0:
		return outcome{}, rtc.NewError(rtc.CodeNoSuchText, "this text was deleted")
	case b.refuses(r):
		return outcome{}, blocked()
	case m.Body == e.Body:
		return outcome{answer: &rtc.Ack{}}, nil
	}
	m.Body, m.Edited = e.Body, b.now
	return b.changed(r, m)
}

func (b *batch) remove(by Device, d *rtc.TextDelete) (outcome, error) {
	r, m, err := b.own(by.User, d.Chat, d.Message)
	switch {
	case err != nil:
		return outcome{}, err
	case m.From.ID != by.User && (!r.group() || !r.me.Admin):
		return outcome{}, rtc.NewError(rtc.CodeNotAllowed, "only whoever sent it, or an admin of the group, may delete it")
	case m.Deleted != 0:
		return outcome{answer: &rtc.Ack{}}, nil
	}
	var left []dropped
	if m.File != nil {
		left = []dropped{{author: m.From.ID, file: m.File.File}}
	}
	m.Body, m.File, m.Edited, m.Deleted, m.Unread = "", nil, 0, b.now, false
	out, err := b.changed(r, m)
	out.dropped = left
	return out, err
}

func (b *batch) changed(r room, m Message) (outcome, error) {
	text, err := b.change(&r, m)
	return outcome{answer: &rtc.Ack{}, changes: []Change{{Key: r.Key, To: r.all(), Message: &text}}}, err
}

// maxMarkedGroup is the largest group whose members hear who has read what.
const maxMarkedGroup = 20

func (b *batch) mark(by Device, m *rtc.TextMark) (outcome, error) {
	r, err := b.enter(by.User, m.Chat)
	if err != nil {
		return outcome{}, err
	}
	last := r.Pos
	if r.me.Left != nil {
		last = r.me.Left.Pos
	}
	me := r.me
	me.Read = max(me.Read, min(m.Read, last))
	me.Delivered = max(me.Delivered, min(m.Delivered, last), me.Read)
	if me.Read == r.me.Read && me.Delivered == r.me.Delivered {
		return outcome{answer: &rtc.Ack{}}, nil
	}
	if err := b.SaveMember(r.ID, me); err != nil {
		return outcome{}, err
	}
	to := []string{by.User}
	if r.me.Left == nil && (!r.group() || len(r.members) <= maxMarkedGroup) {
		for _, other := range r.others(by.User) {
			if !b.s.cfg.Blocked(by.User, other) {
				to = append(to, other)
			}
		}
	}
	return outcome{answer: &rtc.Ack{}, changes: []Change{{
		Key: r.Key, To: to, Except: by, Marks: &rtc.TextMarks{User: by.User, Delivered: me.Delivered, Read: me.Read},
	}}}, nil
}
