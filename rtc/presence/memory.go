package presence

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Memory keeps presence in this process. Make it with NewMemory.
type Memory struct {
	now func() time.Time

	mu      sync.Mutex
	rev     uint64
	floor   uint64 // the change log is whole from here on
	entries map[Key]*record
	log     *list.List            // of change, by rising revision, one for each key
	logged  map[Key]*list.Element // where a key is in log
	sweepAt time.Time             // no deadline passes before this
}

type record struct {
	entry    Entry
	deadline time.Time
}

// change is one line of the log: the last revision at which a key changed.
type change struct {
	key Key
	rev uint64
}

var _ Store = (*Memory)(nil)

// NewMemory makes an empty store that reads the time from now, which must be
// safe for concurrent use.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{now: now, entries: map[Key]*record{}, log: list.New(), logged: map[Key]*list.Element{}}
	m.floor = m.nextRev(now())
	return m
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, entries []Entry, ttl time.Duration) error {
	if err := checkPut(ctx, entries, ttl); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	deadline := now.Add(ttl)
	if len(m.entries) == 0 || deadline.Before(m.sweepAt) {
		m.sweepAt = deadline
	}
	var changed []Key
	for _, e := range entries {
		key := Key{User: e.User, Device: e.Device}
		r, known := m.entries[key]
		if !known {
			r = &record{}
			m.entries[key] = r
		}
		r.deadline = deadline
		if r.entry != e {
			r.entry = e
			changed = append(changed, key)
		}
	}
	m.record(now, changed)
	return nil
}

// Remove implements Store.
func (m *Memory) Remove(ctx context.Context, keys []Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var gone []Key
	for _, key := range keys {
		if _, known := m.entries[key]; known {
			delete(m.entries, key)
			gone = append(gone, key)
		}
	}
	m.record(m.now(), gone)
	return nil
}

// Since implements Store.
func (m *Memory) Since(ctx context.Context, rev uint64) (Changes, error) {
	if err := ctx.Err(); err != nil {
		return Changes{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(m.now())
	if rev < m.floor || rev > m.rev {
		return m.full(), nil
	}
	changes := Changes{Rev: m.rev}
	for el := m.log.Back(); el != nil && el.Value.(change).rev > rev; el = el.Prev() {
		key := el.Value.(change).key
		item := Change{Entry: Entry{User: key.User, Device: key.Device}, Gone: true}
		if r, known := m.entries[key]; known {
			item = Change{Entry: r.entry}
		}
		changes.Items = append(changes.Items, item)
	}
	return changes, nil
}

// Ping implements Store.
func (m *Memory) Ping(ctx context.Context) error { return ctx.Err() }

// Close implements Store.
func (m *Memory) Close() error { return nil }

func (m *Memory) full() Changes {
	changes := Changes{Rev: m.rev, Full: true, Items: make([]Change, 0, len(m.entries))}
	for _, r := range m.entries {
		changes.Items = append(changes.Items, Change{Entry: r.entry})
	}
	return changes
}

// sweep removes the entries whose deadline has passed. Deadlines only move to
// later between two sweeps, so most calls look at none of them.
func (m *Memory) sweep(now time.Time) {
	if len(m.entries) == 0 || now.Before(m.sweepAt) {
		return
	}
	var gone []Key
	next := now.Add(MaxTTL)
	for key, r := range m.entries {
		if !now.Before(r.deadline) {
			delete(m.entries, key)
			gone = append(gone, key)
		} else if r.deadline.Before(next) {
			next = r.deadline
		}
	}
	m.sweepAt = next
	m.record(now, gone)
}

// record gives all keys one new revision, and forgets changes that are too old
// or too many.
func (m *Memory) record(now time.Time, keys []Key) {
	if len(keys) == 0 {
		return
	}
	rev := m.nextRev(now)
	for _, key := range keys {
		if el, ok := m.logged[key]; ok {
			el.Value = change{key: key, rev: rev}
			m.log.MoveToBack(el)
		} else {
			m.logged[key] = m.log.PushBack(change{key: key, rev: rev})
		}
	}
	m.trim(revAt(now.Add(-logAge)))
}

func (m *Memory) trim(oldest uint64) {
	for el := m.log.Front(); el != nil; el = m.log.Front() {
		c := el.Value.(change)
		if m.log.Len() <= logSize && c.rev > oldest {
			return
		}
		m.floor = c.rev
		m.log.Remove(el)
		delete(m.logged, c.key)
	}
}

func (m *Memory) nextRev(now time.Time) uint64 {
	m.rev = max(m.rev+1, revAt(now))
	return m.rev
}

// revAt is the revision of a change at a time: Unix microseconds. Revisions
// follow the clock so that a store begun anew starts above those of its former
// life; they still rise when the clock stands or is set back.
func revAt(t time.Time) uint64 { return uint64(max(0, t.UnixMicro())) }
