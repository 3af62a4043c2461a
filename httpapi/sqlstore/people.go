package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/people"
)

// People keeps profiles and contacts.
type People struct{ Accounts }

var _ people.Store = People{}

// People gives the store of profiles and contacts.
func (db *DB) People() People { return People{db.Accounts()} }

// touchPerson notes that others may see somebody differently from now on. The
// counter's row is locked until the commit, so the order of the revisions is
// the order of the commits: whoever has read up to one has missed none below it.
func touchPerson(ctx context.Context, tx *sql.Tx, id string) error {
	if err := mustAffect(tx.ExecContext(ctx, `UPDATE counters SET value = value + 1 WHERE name = 'people'`)); err != nil {
		return err
	}
	return mustAffect(tx.ExecContext(ctx,
		`UPDATE people SET rev = (SELECT value FROM counters WHERE name = 'people') WHERE user_id = ?`, id))
}

// Since implements people.Store.
func (p People) Since(ctx context.Context, after int64) ([]people.Person, error) {
	rows, err := p.db.read.QueryContext(ctx, `SELECT users.id, users.name, users.admin, users.disabled,
		COALESCE(guests.expires_at, 0), people.line, people.tags, people.picture, people.quiet, people.gone_at, people.rev
		FROM people JOIN users ON users.id = people.user_id LEFT JOIN guests ON guests.user_id = people.user_id
		WHERE people.rev > ? ORDER BY people.rev`, after)
	if err != nil {
		return nil, p.failure("read people", err)
	}
	defer func() { _ = rows.Close() }()
	var found []people.Person
	for rows.Next() {
		var person people.Person
		var guestUntil, gone int64
		var tags string
		if err := rows.Scan(&person.ID, &person.Name, &person.Admin, &person.Disabled, &guestUntil,
			&person.Line, &tags, &person.Picture, &person.Quiet, &gone, &person.Rev); err != nil {
			return nil, p.failure("read people", err)
		}
		if tags != "" {
			if err := json.Unmarshal([]byte(tags), &person.Tags); err != nil {
				return nil, p.failure("read tags of "+person.ID, err)
			}
		}
		person.GuestUntil, person.GoneAt = timeOrZero(guestUntil), timeOrZero(gone)
		found = append(found, person)
	}
	return found, p.failure("read people", rows.Err())
}

func timeOrZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// ChangePerson implements people.Store.
func (p People) ChangePerson(ctx context.Context, id string, change people.Change) error {
	return p.change(ctx, "change person", id, func(tx *sql.Tx) error {
		steps := []struct {
			statement string
			value     any
		}{}
		set := func(statement string, value any) {
			steps = append(steps, struct {
				statement string
				value     any
			}{statement, value})
		}
		if change.Name != nil {
			set(`UPDATE users SET name = ? WHERE id = ?`, *change.Name)
		}
		if change.Line != nil {
			set(`UPDATE people SET line = ? WHERE user_id = ?`, *change.Line)
		}
		if change.Quiet != nil {
			set(`UPDATE people SET quiet = ? WHERE user_id = ?`, *change.Quiet)
		}
		if change.Tags != nil {
			tags := ""
			if len(*change.Tags) > 0 {
				text, err := json.Marshal(*change.Tags)
				if err != nil {
					return err
				}
				tags = string(text)
			}
			set(`UPDATE people SET tags = ? WHERE user_id = ?`, tags)
		}
		for _, step := range steps {
			if err := mustAffect(tx.ExecContext(ctx, step.statement, step.value, id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// change runs do on somebody who is not gone, and notes the change.
func (p People) change(ctx context.Context, doing, id string, do func(tx *sql.Tx) error) error {
	err := p.db.inTx(ctx, func(tx *sql.Tx) error {
		var hash string
		user, err := p.lockUser(ctx, tx, id, &hash)
		if err == nil && user.Gone {
			err = sql.ErrNoRows
		}
		if err == nil {
			err = do(tx)
		}
		if err != nil {
			return err
		}
		return touchPerson(ctx, tx, id)
	})
	return p.failure(doing, err)
}

// SetPicture implements people.Store.
func (p People) SetPicture(ctx context.Context, id, version string, jpeg []byte) error {
	return p.change(ctx, "keep picture", id, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM pictures WHERE user_id = ?`, id); err != nil {
			return err
		}
		if version != "" {
			if _, err := tx.ExecContext(ctx, `INSERT INTO pictures (user_id, version, jpeg) VALUES (?, ?, ?)`, id, version, jpeg); err != nil {
				return err
			}
		}
		return mustAffect(tx.ExecContext(ctx, `UPDATE people SET picture = ? WHERE user_id = ?`, version, id))
	})
}

// Picture implements people.Store.
func (p People) Picture(ctx context.Context, id string) (version string, jpeg []byte, err error) {
	err = p.db.read.QueryRowContext(ctx, `SELECT version, jpeg FROM pictures WHERE user_id = ?`, id).Scan(&version, &jpeg)
	return version, jpeg, p.failure("read picture", err)
}

// mostOwners bounds the owners in one statement.
const mostOwners = 500

// Blocks implements people.Store.
func (p People) Blocks(ctx context.Context, owners ...string) (map[string][]string, error) {
	blocks := make(map[string][]string)
	if len(owners) == 0 {
		return blocks, p.addBlocks(ctx, blocks, "")
	}
	for part := range slices.Chunk(owners, mostOwners) {
		args := make([]any, len(part))
		for i, owner := range part {
			args[i] = owner
		}
		if err := p.addBlocks(ctx, blocks, ` AND owner IN (?`+strings.Repeat(`, ?`, len(part)-1)+`)`, args...); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}

func (p People) addBlocks(ctx context.Context, to map[string][]string, condition string, args ...any) error {
	rows, err := p.db.read.QueryContext(ctx,
		`SELECT owner, other FROM contacts WHERE blocked <> 0`+condition+` ORDER BY owner, other`, args...)
	if err != nil {
		return p.failure("read blocks", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var owner, other string
		if err := rows.Scan(&owner, &other); err != nil {
			return p.failure("read blocks", err)
		}
		to[owner] = append(to[owner], other)
	}
	return p.failure("read blocks", rows.Err())
}

// Contacts implements people.Store.
func (p People) Contacts(ctx context.Context, owner string) (people.Contacts, error) {
	contacts := people.Contacts{Favourites: []string{}, Blocked: []string{}}
	rows, err := p.db.read.QueryContext(ctx, `SELECT other, favourite, blocked FROM contacts WHERE owner = ? ORDER BY other`, owner)
	if err != nil {
		return people.Contacts{}, p.failure("read contacts", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var other string
		var favourite, blocked bool
		if err := rows.Scan(&other, &favourite, &blocked); err != nil {
			return people.Contacts{}, p.failure("read contacts", err)
		}
		if favourite {
			contacts.Favourites = append(contacts.Favourites, other)
		}
		if blocked {
			contacts.Blocked = append(contacts.Blocked, other)
		}
	}
	return contacts, p.failure("read contacts", rows.Err())
}

// ChangeContact implements people.Store. The owner's row is locked, so that
// the contacts are counted one by one.
func (p People) ChangeContact(ctx context.Context, owner, other string, change people.ContactChange, most int) error {
	return p.change(ctx, "change contact", owner, func(tx *sql.Tx) error {
		var favourite, blocked bool
		err := tx.QueryRowContext(ctx, `SELECT favourite, blocked FROM contacts WHERE owner = ? AND other = ?`, owner, other).
			Scan(&favourite, &blocked)
		known := err == nil
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if change.Favourite != nil {
			favourite = *change.Favourite
		}
		if change.Blocked != nil {
			blocked = *change.Blocked
		}
		switch {
		case !favourite && !blocked:
			_, err = tx.ExecContext(ctx, `DELETE FROM contacts WHERE owner = ? AND other = ?`, owner, other)
		case known:
			_, err = tx.ExecContext(ctx, `UPDATE contacts SET favourite = ?, blocked = ? WHERE owner = ? AND other = ?`,
				favourite, blocked, owner, other)
		default:
			err = addContact(ctx, tx, owner, other, favourite, blocked, most)
		}
		return err
	})
}

func addContact(ctx context.Context, tx *sql.Tx, owner, other string, favourite, blocked bool, most int) error {
	var marked int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM contacts WHERE owner = ?`, owner).Scan(&marked); err != nil {
		return err
	}
	if marked >= most {
		return account.ErrFull
	}
	return mustAffect(tx.ExecContext(ctx, `INSERT INTO contacts (owner, other, favourite, blocked)
		SELECT ?, user_id, ?, ? FROM people WHERE user_id = ? AND gone_at = 0`, owner, favourite, blocked, other))
}
