// Package presence knows who is online, on which devices, free or in a call.
//
// A Store keeps one Entry for each connected device, with a deadline: a device
// whose deadline passes without another Put is gone, whoever was to remove it.
// Every change has a revision, so that a reader can ask what changed since it
// last looked.
package presence

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxTTL is the longest time that an entry may be put for.
const MaxTTL = time.Hour

// How much of the past a store remembers for readers that ask what changed.
// One that comes later gets everything.
const (
	logSize = 8192            // changed devices
	logAge  = 5 * time.Minute // time since the change
)

// Entry is one device of one user.
type Entry struct {
	User   string `json:"user"`
	Device string `json:"device"`
	Name   string `json:"name"`
	Node   string `json:"node"` // the running server that the device is connected to
	Busy   bool   `json:"busy"` // in a call
}

// Key names an entry.
type Key struct {
	User   string
	Device string
}

// Change is an entry that came, changed or went. Of one that went only User
// and Device are sure to be set.
type Change struct {
	Entry
	Gone bool
}

// Changes is what happened up to revision Rev. When Full is set, Items is
// everything there is and replaces what the reader knew.
type Changes struct {
	Rev   uint64
	Full  bool
	Items []Change
}

// Store keeps presence. Implementations are safe for concurrent use.
type Store interface {
	// Put creates or replaces entries and sets their deadline to now + ttl. An
	// entry that is the same as before gets a new deadline and no revision.
	Put(ctx context.Context, entries []Entry, ttl time.Duration) error
	// Remove deletes entries at once; unknown ones are passed over.
	Remove(ctx context.Context, keys []Key) error
	// Since sweeps entries whose deadline has passed, then returns what changed
	// after rev. Rev 0, or one that is too old or not of this store's life,
	// returns everything with Full set.
	Since(ctx context.Context, rev uint64) (Changes, error)
	// Ping tells whether the store can be reached.
	Ping(ctx context.Context) error
	// Close lets go of connections; entries stay until their deadlines.
	Close() error
}

// checkPut refuses what no store could keep.
func checkPut(ctx context.Context, entries []Entry, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ttl < time.Millisecond || ttl > MaxTTL {
		return fmt.Errorf("presence: a ttl of %v is not between 1ms and %v", ttl, MaxTTL)
	}
	for _, e := range entries {
		if e.User == "" || e.Device == "" {
			return errors.New("presence: an entry needs a user and a device")
		}
	}
	return nil
}
