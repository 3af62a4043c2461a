package chat

import (
	"cmp"
	"slices"
	"strings"

	"fieldphone/rtc"
)

// plan is a change of a group before anything of it is written, so that what is
// refused writes nothing.
type plan struct {
	room
	b     *batch
	notes []planned
}

// planned is one note, with those who hear of it and whose place it changes.
type planned struct {
	rtc.Note
	to     []string
	places []Member
	leave  bool
}

func (b *batch) changeGroup(by, key string, change GroupChange) (Group, []Change, error) {
	r, err := b.present(by, key)
	if err != nil {
		return Group{}, nil, err
	}
	r.members = slices.Clone(r.members)
	others := slices.DeleteFunc(slices.Clone(change.Remove), func(id string) bool { return id == by })
	if !r.me.Admin && (change.Name != nil || len(others)+len(change.Promote)+len(change.Demote) > 0) {
		return Group{}, nil, rtc.NewError(rtc.CodeNotAllowed, "only an admin of the group may do this")
	}
	p := &plan{room: r, b: b}
	p.rename(change.Name)
	if err := p.add(change.Add); err != nil {
		return Group{}, nil, err
	}
	p.remove(rtc.NoteRemoved, others)
	p.setAdmins(rtc.NotePromoted, change.Promote, true)
	p.setAdmins(rtc.NoteDemoted, change.Demote, false)
	if len(others) != len(change.Remove) {
		p.leave()
	}
	if len(p.members) > 0 && !slices.ContainsFunc(p.members, func(m Member) bool { return m.Admin }) {
		return Group{}, nil, rtc.NewError(rtc.CodeNotAllowed, "a group needs an admin; make somebody else one first")
	}
	return p.write()
}

func (p *plan) rename(name *string) {
	if name == nil || strings.TrimSpace(*name) == p.Title {
		return
	}
	p.Title = strings.TrimSpace(*name)
	p.notes = append(p.notes, planned{Note: rtc.Note{What: rtc.NoteNamed, Name: p.Title}, to: p.all()})
}

func (p *plan) add(ids []string) error {
	people, err := p.b.invited(p.room, ids)
	if err != nil || len(people) == 0 {
		return err
	}
	n := planned{Note: rtc.Note{What: rtc.NoteAdded}}
	seen := p.Pos + int64(len(p.notes)) // what was there before is not new to them
	for _, who := range people {
		n.Who = append(n.Who, who.User)
		n.places = append(n.places, Member{Person: who, Joined: p.b.now, Read: seen, Delivered: seen})
	}
	p.members = append(p.members, n.places...)
	n.to = p.all()
	p.notes = append(p.notes, n)
	return nil
}

func (p *plan) remove(what rtc.NoteKind, ids []string) {
	n := planned{Note: rtc.Note{What: what}, to: p.all(), leave: true}
	p.members = slices.DeleteFunc(p.members, func(m Member) bool {
		goes := slices.Contains(ids, m.ID)
		if goes {
			n.Who = append(n.Who, m.User)
			n.places = append(n.places, m)
		}
		return goes
	})
	if len(n.places) > 0 {
		p.notes = append(p.notes, n)
	}
}

func (p *plan) setAdmins(what rtc.NoteKind, ids []string, admin bool) {
	n := planned{Note: rtc.Note{What: what}, to: p.all()}
	for i, m := range p.members {
		if m.Admin != admin && slices.Contains(ids, m.ID) {
			p.members[i].Admin = admin
			n.Who = append(n.Who, m.User)
			n.places = append(n.places, p.members[i])
		}
	}
	if len(n.places) > 0 {
		p.notes = append(p.notes, n)
	}
}

// leave takes out who makes the change; the last admin hands over to whoever
// has been there for longest.
func (p *plan) leave() {
	admin := func(m Member) bool { return m.Admin && m.ID != p.me.ID }
	if !slices.ContainsFunc(p.members, admin) {
		rest := slices.DeleteFunc(slices.Clone(p.members), func(m Member) bool { return m.ID == p.me.ID })
		if len(rest) > 0 {
			heir := slices.MinFunc(rest, func(a, b Member) int {
				return cmp.Or(cmp.Compare(a.Joined, b.Joined), strings.Compare(a.ID, b.ID))
			})
			p.setAdmins(rtc.NotePromoted, []string{heir.ID}, true)
		}
	}
	p.remove(rtc.NoteLeft, []string{p.me.ID})
	last := &p.notes[len(p.notes)-1]
	last.Who = nil // who left is who the note is from
}

func (p *plan) write() (Group, []Change, error) {
	var changes []Change
	for _, n := range p.notes {
		change, err := p.b.note(&p.room, n.Note, n.to)
		if err != nil {
			return Group{}, nil, err
		}
		changes = append(changes, change)
		for _, m := range n.places {
			if n.leave {
				m.Admin, m.Left = false, &Left{Pos: p.Pos, Rev: p.Rev, At: p.b.now, Title: p.Title}
			}
			if err := p.b.SaveMember(p.ID, m); err != nil {
				return Group{}, nil, err
			}
		}
	}
	return groupOf(p.room), changes, nil
}
