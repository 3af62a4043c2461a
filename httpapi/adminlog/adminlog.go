// Package adminlog is about what administrators did: who changed what, when, from which
// value to which, and whether it was undone.
package adminlog

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// What a [Store] answers, wrapped or bare, besides its own failures.
var (
	// ErrNotFound: there is no such entry, or it was too old to be kept.
	ErrNotFound = errors.New("no such entry")
	// ErrUndone: the entry was undone already; nothing was written.
	ErrUndone = errors.New("undone already")
)

// Keep is how many entries are kept; older ones go as new ones come.
const Keep = 10_000

// Entry is one thing that was done.
type Entry struct {
	ID     int64 // given by the store, growing
	At     time.Time
	Node   string // the server where it was done: settings are each server's own
	Admin  Admin
	Action string // like settings.change or user.disable
	Target string // a user's, call's or allocation's id; may be empty
	// Before and After are JSON objects with what changed and nothing else, by name;
	// nil where nothing can be undone.
	Before, After json.RawMessage
	UndoneBy      int64 // the entry that undid this one; 0: none
	Undoes        int64 // the entry that this one undid; 0: none
}

// Admin is who did it. Both are empty for the server's console.
type Admin struct{ ID, Name string }

// Store keeps entries. Its methods are safe for concurrent use, also by several processes
// on one database.
type Store interface {
	// Append adds an entry and gives it its ID. Where Undoes is set, that entry is
	// marked as undone in the same transaction: ErrUndone if it was, ErrNotFound.
	Append(ctx context.Context, entry Entry) (Entry, error)
	// Entries gives at most limit entries with an ID under before, newest first; 0 for
	// the newest of all.
	Entries(ctx context.Context, before int64, limit int) ([]Entry, error)
	// Entry gives one entry. ErrNotFound.
	Entry(ctx context.Context, id int64) (Entry, error)
}
