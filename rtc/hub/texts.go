package hub

import (
	"encoding/json"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/call"
	"fieldphone/rtc/chat"
)

// Chat keeps what people write; a *chat.Service is one. Neither method waits.
type Chat interface {
	Text(by chat.Device, msg rtc.Message, answered func(rtc.Message, error))
	Typing(by string, m *rtc.TextTyping, tell func(to []string, key string))
}

// typingSpacing is the shortest time between two text.typing of a device.
const typingSpacing = time.Second

// text hands what a device wants done to a chat to who keeps it. The answer
// comes once that is stored.
func (h *Hub) text(p *Port, d *device, env rtc.Envelope, msg rtc.Message, chatName string) error {
	if chatName == rtc.EchoID || d.key.User == rtc.EchoID {
		return h.echoText(p, d, env, msg)
	}
	if h.cfg.Chat == nil {
		return rtc.NewError(rtc.CodeNotStored, "this server keeps no messages")
	}
	h.cfg.Chat.Text(chat.Device{User: d.key.User, Device: d.key.ID}, msg, func(answer rtc.Message, err error) {
		// By another goroutine, since this one may be the hub's own.
		h.later(func() {
			if _, known := h.ports[p]; known && !p.dead.Load() {
				h.answer(p, env, answer, err)
			}
		})
	})
	return nil
}

func (h *Hub) answer(p *Port, env rtc.Envelope, answer rtc.Message, err error) {
	_, plain := answer.(*rtc.Ack)
	switch {
	case err != nil:
		h.refuse(p, env, err)
	case !plain || env.ID != "":
		p.reply(answer, env.ID)
	}
}

// echoText passes a text to or from the echo contact, which is kept nowhere.
func (h *Hub) echoText(p *Port, d *device, env rtc.Envelope, msg rtc.Message) error {
	m, ok := msg.(*rtc.TextSend)
	if !ok {
		h.answer(p, env, &rtc.Ack{}, nil)
		return nil
	}
	if m.Chat == d.key.User || len(h.reachable(m.Chat)) == 0 {
		return rtc.NewError(rtc.CodeOffline, "the person is not connected; nothing was delivered")
	}
	now := h.cfg.Now().UnixMilli()
	text := rtc.TextMessage{Message: m.Message, From: d.user, Kind: rtc.KindText, Body: m.Body, File: m.File, ServerTime: now}
	h.deliver(chat.Change{
		Key: d.key.User + "/" + m.Chat, To: []string{d.key.User, m.Chat}, Message: &text,
		Except: chat.Device{User: d.key.User, Device: d.key.ID},
	})
	h.stats.texts.Add(1)
	p.reply(&rtc.TextSent{Message: m.Message, ServerTime: now}, env.ID)
	return nil
}

// Deliver tells those concerned what was stored.
func (h *Hub) Deliver(changes []chat.Change) {
	h.post(func() {
		for _, c := range changes {
			h.deliver(c)
			if m := c.Message; m != nil && m.Kind == rtc.KindText && m.Edited == 0 && m.Deleted == 0 {
				h.stats.texts.Add(1)
			}
		}
	})
}

// deliver sends a change to every device that is to have it. It is encoded once
// for all who call the chat by the same name.
func (h *Hub) deliver(c chat.Change) {
	except := call.Device{User: c.Except.User, ID: c.Except.Device}
	encoded := make(map[string]json.RawMessage, 2)
	for _, user := range c.To {
		devices := h.users[user]
		if len(devices) == 0 {
			continue
		}
		name := chat.Seen(c.Key, user)
		msg := c.For(user)
		data, known := encoded[name]
		if !known {
			var err error
			if data, err = json.Marshal(msg); err != nil {
				h.cfg.Logger.Error("hub: cannot encode", "type", msg.Type(), "error", err)
				return
			}
			encoded[name] = data
		}
		for key, d := range devices {
			if key != except {
				h.sendEncoded(d, msg.Type(), data)
			}
		}
	}
}

// typing passes on that somebody writes, to those who are to hear it.
func (h *Hub) typing(d *device, m *rtc.TextTyping) {
	now := h.cfg.Now()
	if h.cfg.Chat == nil || m.Chat == rtc.EchoID || now.Sub(d.typed) < typingSpacing {
		return
	}
	d.typed = now
	by := d.key.User
	h.cfg.Chat.Typing(by, m, func(to []string, key string) {
		h.post(func() {
			for _, user := range to {
				for _, d := range h.users[user] {
					if d.port != nil {
						d.port.reply(&rtc.TextTyping{Chat: chat.Seen(key, user), User: by}, "")
					}
				}
			}
		})
	})
}
