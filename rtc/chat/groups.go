package chat

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"fieldphone/rtc"
)

// maxGroupsMade bounds the groups that one person makes.
const maxGroupsMade = 500

// Group is a group as its members see it.
type Group struct {
	Group     string // its name in the protocol, without the #
	Name      string
	CreatedAt int64 // Unix milliseconds
	Members   []Member
}

// GroupChange is what a member wants done to a group; what is empty stays.
type GroupChange struct {
	Name                         *string
	Add, Remove, Promote, Demote []string
}

// CreateGroup makes a group. The same again by the same person gives the group
// as it is, and created false. Its errors are *rtc.Error: bad_data,
// no_such_chat (a member is nobody), blocked, not_allowed (somebody else has
// made it), rate_limited, not_stored.
func (s *Service) CreateGroup(ctx context.Context, by, group, name string, members []string) (g Group, created bool, err error) {
	if err := rtc.CheckGroup(group, name); err != nil {
		return Group{}, false, err
	}
	type made struct {
		Group
		created bool
	}
	answer, err := s.wait(ctx, by, func(b *batch) (outcome, error) {
		g, changes, err := b.createGroup(by, rtc.GroupPrefix+group, strings.TrimSpace(name), members)
		return outcome{answer: made{g, len(changes) > 0}, changes: changes}, err
	})
	if err != nil {
		return Group{}, false, err
	}
	m := answer.(made)
	return m.Group, m.created, nil
}

// ChangeGroup changes a group, all of it or nothing. Its errors are those of
// CreateGroup.
func (s *Service) ChangeGroup(ctx context.Context, by, group string, change GroupChange) (Group, error) {
	if change.Name != nil {
		if err := rtc.CheckGroup(group, *change.Name); err != nil {
			return Group{}, err
		}
	}
	answer, err := s.wait(ctx, by, func(b *batch) (outcome, error) {
		g, changes, err := b.changeGroup(by, rtc.GroupPrefix+group, change)
		return outcome{answer: g, changes: changes}, err
	})
	if err != nil {
		return Group{}, err
	}
	return answer.(Group), nil
}

func (b *batch) createGroup(by, key, name string, ids []string) (Group, []Change, error) {
	me, err := b.Person(by)
	if err != nil {
		return Group{}, nil, missing(err)
	}
	switch c, err := b.Chat(key); {
	case err == nil && c.CreatedBy == by:
		r, err := b.present(by, key)
		return groupOf(r), nil, err
	case err == nil:
		return Group{}, nil, rtc.NewError(rtc.CodeNotAllowed, "somebody else has made a group of this name; choose another one")
	case !errors.Is(err, ErrNotFound):
		return Group{}, nil, err
	}
	if n, err := b.Groups(by); err != nil {
		return Group{}, nil, err
	} else if n >= maxGroupsMade {
		return Group{}, nil, rtc.NewError(rtc.CodeRateLimited, "you have made very many groups; use one that exists")
	}
	people, err := b.invited(room{me: Member{Person: me}}, ids)
	if err != nil {
		return Group{}, nil, err
	}
	c, err := b.AddChat(Chat{Key: key, Title: name, CreatedBy: by, CreatedAt: b.now, At: b.now})
	if err != nil {
		return Group{}, nil, err
	}
	members := []Member{{Person: me, Admin: true, Joined: b.now}}
	for _, p := range people {
		members = append(members, Member{Person: p, Joined: b.now})
	}
	for _, m := range members {
		if err := b.SaveMember(c.ID, m); err != nil {
			return Group{}, nil, err
		}
	}
	r := room{Chat: c, me: members[0], members: members}
	note, err := b.note(&r, rtc.Note{What: rtc.NoteCreated, Name: name}, r.all())
	return groupOf(r), []Change{note}, err
}

func groupOf(r room) Group {
	return Group{Group: strings.TrimPrefix(r.Key, rtc.GroupPrefix), Name: r.Title, CreatedAt: r.CreatedAt, Members: r.members}
}

// invited are those of the ids who can be added and are not in yet.
func (b *batch) invited(r room, ids []string) ([]Person, error) {
	var people []Person
	seen := map[string]bool{r.me.ID: true}
	for _, m := range r.members {
		seen[m.ID] = true
	}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		if len(seen) > rtc.MaxGroupPeople {
			return nil, rtc.NewError(rtc.CodeBadData, "members must be at most 500")
		}
		p, err := b.Person(id)
		if err != nil {
			return nil, missing(err)
		}
		if p.gone() {
			return nil, noSuchChat()
		}
		if b.s.cfg.Blocked(id, r.me.ID) {
			return nil, blocked()
		}
		people = append(people, p)
	}
	return people, nil
}

// note writes what somebody did to a group.
func (b *batch) note(r *room, n rtc.Note, to []string) (Change, error) {
	text, err := b.add(r, Message{TextMessage: rtc.TextMessage{
		Message: rand.Text(), From: r.me.User, Kind: rtc.KindNote, Note: &n,
	}})
	return Change{Key: r.Key, To: to, Message: &text}, err
}
