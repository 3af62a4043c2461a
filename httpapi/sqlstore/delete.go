package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"fieldphone/httpapi/account"
)

// guestsAtOnce bounds the guests whom one transaction deletes.
const guestsAtOnce = 500

// DeleteUser implements account.Store.
func (a Accounts) DeleteUser(ctx context.Context, id, ifHash string, at time.Time) ([]account.EndedSession, error) {
	var ends []account.EndedSession
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		if err := a.lockAdmins(ctx, tx); err != nil {
			return err
		}
		var hash string
		before, err := a.lockUser(ctx, tx, id, &hash)
		switch {
		case err != nil:
			return err
		case before.Gone:
			return sql.ErrNoRows
		case hash != ifHash:
			return account.ErrChanged
		}
		if err := keepsAdmin(ctx, tx, before, account.User{}); err != nil {
			return err
		}
		if ends, err = a.endAll(ctx, tx, id); err != nil {
			return err
		}
		return bury(ctx, tx, id, at)
	})
	return settled(ends, a.failure("delete user", err))
}

// DeleteGuests implements account.Store.
func (a Accounts) DeleteGuests(ctx context.Context, endedBefore time.Time) (int64, error) {
	var total int64
	for {
		var buried int
		err := a.db.inTx(ctx, func(tx *sql.Tx) error {
			rows, err := tx.QueryContext(ctx, `SELECT user_id FROM guests WHERE expires_at < ?
				AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = guests.user_id)
				ORDER BY user_id LIMIT ?`+a.db.dialect.forUpdate, endedBefore.UnixMilli(), guestsAtOnce)
			if err != nil {
				return err
			}
			ids, err := scanStrings(rows)
			for _, id := range ids {
				if err := bury(ctx, tx, id, endedBefore); err != nil {
					return err
				}
			}
			buried = len(ids)
			return err
		})
		if err != nil {
			return total, a.failure("delete guests", err)
		}
		if total += int64(buried); buried < guestsAtOnce {
			return total, nil
		}
	}
}

// bury takes away all that a user has but the id, which stays taken: whoever
// got it would get into the chats of before.
func bury(ctx context.Context, tx *sql.Tx, id string, at time.Time) error {
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`DELETE FROM invites WHERE created_by = ?`, []any{id}},
		{`DELETE FROM guests WHERE user_id = ?`, []any{id}},
		{`DELETE FROM calls_seen WHERE user_id = ?`, []any{id}},
		{`DELETE FROM pictures WHERE user_id = ?`, []any{id}},
		{`DELETE FROM contacts WHERE owner = ? OR other = ?`, []any{id, id}},
		{`UPDATE users SET name = '', password_hash = '', admin = 0, disabled = 1 WHERE id = ?`, []any{id}},
		{`UPDATE people SET line = '', tags = '', quiet = 0, picture = '', gone_at = ? WHERE user_id = ?`, []any{at.UnixMilli(), id}},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return touchPerson(ctx, tx, id)
}

func scanStrings(rows *sql.Rows) ([]string, error) {
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, rows.Err()
}
