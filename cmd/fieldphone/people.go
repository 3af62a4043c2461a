package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"fieldphone/httpapi"
	"fieldphone/httpapi/people"
	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

// openPeople wires what others see of accounts: devices hear of changes
// through the hub, and who is gone leaves the groups.
func (s *server) openPeople(ctx context.Context) (*people.Service, error) {
	return people.New(ctx, people.Config{
		Push:   func(m *rtc.ProfileUpdate) { s.hub.Broadcast(m) },
		OnGone: s.leaveGroups, Logger: s.log,
	}, s.db.People())
}

// leaveGroups takes somebody out of every group. It may be repeated.
func (s *server) leaveGroups(ctx context.Context, id string) error {
	for before, more := int64(0), true; more; {
		var page []chat.Entry
		var err error
		if page, more, err = s.chat.Chats(ctx, id, before, chat.MaxChats); err != nil {
			return err
		}
		for _, e := range page {
			before = e.At
			group, isGroup := strings.CutPrefix(e.Key, rtc.GroupPrefix)
			if !isGroup || e.Me.Left != nil {
				continue
			}
			if _, err := s.chat.ChangeGroup(ctx, id, group, chat.GroupChange{Remove: []string{id}}); err != nil {
				return err
			}
		}
		more = more && len(page) > 0
	}
	return nil
}

// exportParts are what people get of theirs, besides the profile.
func (s *server) exportParts() []httpapi.ExportPart {
	return []httpapi.ExportPart{s.exportMessages, s.exportFiles}
}

// exportMessages writes every message of the user's chats, calls among them,
// as one JSON object a line.
func (s *server) exportMessages(ctx context.Context, id string, create func(string) (io.Writer, error)) error {
	w, err := create("messages.jsonl")
	if err != nil {
		return err
	}
	lines := json.NewEncoder(w)
	for after := int64(0); ; {
		page, next, err := s.chat.ExportMessages(ctx, id, after, 0)
		if err != nil {
			return err
		}
		for _, m := range page {
			if err := lines.Encode(m); err != nil {
				return err
			}
		}
		if next == 0 {
			return nil
		}
		after = next
	}
}

// exportFiles lists the files that the user has sent and that are kept.
func (s *server) exportFiles(ctx context.Context, id string, create func(string) (io.Writer, error)) error {
	kept, err := s.files.Of(ctx, id)
	if err != nil {
		return err
	}
	type line struct {
		File      string `json:"file"`
		Chat      string `json:"chat"`
		Kind      string `json:"kind"`
		Name      string `json:"name"`
		Type      string `json:"type"`
		Size      int64  `json:"size"` // bytes
		CreatedAt int64  `json:"created_at"`
	}
	w, err := create("files.jsonl")
	if err != nil {
		return err
	}
	lines := json.NewEncoder(w)
	for _, f := range kept {
		if err := lines.Encode(line{f.Name, f.Chat, f.Kind, f.Title, f.Type, f.Size, f.CreatedAt.UnixMilli()}); err != nil {
			return err
		}
	}
	return nil
}
