package hub

import (
	"context"
	"log/slog"
	"sort"
	"time"

	"fieldphone/rtc"
	"fieldphone/rtc/presence"
)

// roster is what this node knows of everybody's presence, and what it has to
// tell the store of its own devices.
type roster struct {
	people map[string]*person
	puts   map[presence.Key]presence.Entry
	gone   map[presence.Key]struct{}
	frame  []byte // the snapshot as it is sent, nil once it has changed
}

// person gathers the devices of one user.
type person struct {
	name    string
	devices map[string]seat
	shown   rtc.Person // as last announced
}

// seat is a device as presence shows it.
type seat struct {
	busy bool
	node string
}

func newRoster() roster {
	return roster{
		people: make(map[string]*person),
		puts:   make(map[presence.Key]presence.Entry),
		gone:   make(map[presence.Key]struct{}),
	}
}

func (r *roster) publish(e presence.Entry) {
	key := presence.Key{User: e.User, Device: e.Device}
	delete(r.gone, key)
	r.puts[key] = e
}

func (r *roster) withdraw(key presence.Key) {
	delete(r.puts, key)
	r.gone[key] = struct{}{}
}

// name is a user's name as last seen; the id for a stranger. Presence is behind
// by a moment, so the devices here are asked first.
func (h *Hub) name(user string) string {
	for _, d := range h.users[user] {
		return d.user.Name
	}
	if p := h.roster.people[user]; p != nil {
		return p.name
	}
	return user
}

// hand gives the syncer what there is to tell, unless it is still busy with
// the last batch, which false means.
func (r *roster) hand(s *syncer) bool {
	b := batch{}
	for _, e := range r.puts {
		b.puts = append(b.puts, e)
	}
	for key := range r.gone {
		b.gone = append(b.gone, key)
	}
	select {
	case s.batches <- b:
		clear(r.puts)
		clear(r.gone)
		return true
	default:
		return false
	}
}

func (p *person) status() rtc.Status {
	if len(p.devices) == 0 {
		return rtc.Offline
	}
	for _, seat := range p.devices {
		if seat.busy {
			return rtc.Busy
		}
	}
	return rtc.Free
}

func (r *roster) snapshot() *rtc.PresenceSnapshot {
	people := []rtc.Person{}
	for _, p := range r.people {
		if p.shown.Status != rtc.Offline {
			people = append(people, p.shown)
		}
	}
	sort.Slice(people, func(i, j int) bool { return people[i].ID < people[j].ID })
	return &rtc.PresenceSnapshot{People: people}
}

// sendSnapshot sends the snapshot; its frame is made once for everybody who
// comes until the next change.
func (h *Hub) sendSnapshot(p *Port) {
	if h.roster.frame == nil {
		frame, err := rtc.Encode(h.roster.snapshot(), 0, "")
		if err != nil {
			h.cfg.Logger.Error("hub: cannot encode", "type", "presence.snapshot", "error", err)
			return
		}
		h.roster.frame = frame
	}
	p.sendFrame(h.roster.frame)
}

// merge takes changes of the store and returns who is now to be shown
// otherwise.
func (r *roster) merge(changes presence.Changes) []rtc.Person {
	touched := make(map[string]struct{})
	if changes.Full {
		for id, p := range r.people {
			clear(p.devices)
			touched[id] = struct{}{}
		}
	}
	for _, c := range changes.Items {
		touched[c.User] = struct{}{}
		p := r.people[c.User]
		if c.Gone {
			if p != nil {
				delete(p.devices, c.Device)
			}
			continue
		}
		if p == nil {
			p = &person{devices: make(map[string]seat), shown: rtc.Person{Status: rtc.Offline}}
			r.people[c.User] = p
		}
		p.name = c.Name
		p.devices[c.Device] = seat{busy: c.Busy, node: c.Node}
	}
	var changed []rtc.Person
	for id := range touched {
		p := r.people[id]
		if p == nil {
			continue
		}
		now := rtc.Person{ID: id, Name: p.name, Status: p.status()}
		if now != p.shown {
			p.shown = now
			r.frame = nil
			changed = append(changed, now)
		}
		if now.Status == rtc.Offline {
			delete(r.people, id)
		}
	}
	sort.Slice(changed, func(i, j int) bool { return changed[i].ID < changed[j].ID })
	return changed
}

// count is how many people there are; the echo is nobody.
func (r *roster) count() int {
	if r.people[rtc.EchoID] != nil {
		return len(r.people) - 1
	}
	return len(r.people)
}

// announce tells every device who changed; the frame is made once.
func (h *Hub) announce(changes presence.Changes) {
	people := h.roster.merge(changes)
	h.stats.people.Store(int64(h.roster.count()))
	if len(people) == 0 {
		return
	}
	frame, err := rtc.Encode(&rtc.PresenceUpdate{People: people}, 0, "")
	if err != nil {
		h.cfg.Logger.Error("hub: cannot encode", "type", "presence.update", "error", err)
		return
	}
	for p := range h.ports {
		if p.device != nil {
			p.sendFrame(frame)
		}
	}
}

type batch struct {
	puts []presence.Entry
	gone []presence.Key
}

// syncer talks to the presence store, which may be slow, so that the hub's
// goroutine never waits for it.
type syncer struct {
	store   presence.Store
	ttl     time.Duration
	log     *slog.Logger
	batches chan batch
	results chan presence.Changes
	rev     uint64
	failing bool
}

func newSyncer(store presence.Store, ttl time.Duration, log *slog.Logger) *syncer {
	return &syncer{store: store, ttl: ttl, log: log, batches: make(chan batch, 1), results: make(chan presence.Changes)}
}

func (s *syncer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-s.batches:
			changes, err := s.sync(ctx, b)
			s.report(ctx, err)
			if err != nil || len(changes.Items) == 0 && !changes.Full {
				continue
			}
			select {
			case s.results <- changes:
			case <-ctx.Done():
				return
			}
		}
	}
}

// sync writes a batch and reads what changed. What could not be written is
// written again by the next heartbeat.
func (s *syncer) sync(ctx context.Context, b batch) (presence.Changes, error) {
	if len(b.puts) > 0 {
		if err := s.store.Put(ctx, b.puts, s.ttl); err != nil {
			return presence.Changes{}, err
		}
	}
	if len(b.gone) > 0 {
		if err := s.store.Remove(ctx, b.gone); err != nil {
			return presence.Changes{}, err
		}
	}
	changes, err := s.store.Since(ctx, s.rev)
	if err == nil {
		s.rev = changes.Rev
	}
	return changes, err
}

// report logs when the store begins and ceases to fail, not each failure.
func (s *syncer) report(ctx context.Context, err error) {
	if ctx.Err() != nil || (err != nil) == s.failing {
		return
	}
	s.failing = err != nil
	if s.failing {
		s.log.Error("presence store fails; the list of people is not up to date", "error", err)
	} else {
		s.log.Info("presence store works again")
	}
}
