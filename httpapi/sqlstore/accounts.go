package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"fieldphone/httpapi/account"
)

// Accounts keeps users and sessions.
type Accounts struct{ db *DB }

var _ account.Store = Accounts{}

// Accounts gives the store of users and sessions.
func (db *DB) Accounts() Accounts { return Accounts{db: db} }

const userColumns = `id, name, admin, disabled, created_at,
	COALESCE((SELECT expires_at FROM guests WHERE user_id = users.id), 0),
	COALESCE((SELECT gone_at FROM people WHERE user_id = users.id), 0)`

// CreateUser implements account.Store.
func (a Accounts) CreateUser(ctx context.Context, user account.User, hash string) error {
	err := a.db.inTx(ctx, func(tx *sql.Tx) error { return insertUser(ctx, tx, user, hash) })
	return a.failure("create user", err)
}

func insertUser(ctx context.Context, tx *sql.Tx, user account.User, hash string) error {
	_, err := tx.ExecContext(ctx,
		`INSERT INTO users (id, name, admin, disabled, created_at, password_hash) VALUES (?, ?, ?, ?, ?, ?)`,
		user.ID, user.Name, user.Admin, user.Disabled, user.CreatedAt.UnixMilli(), hash)
	if err == nil && user.Guest() {
		_, err = tx.ExecContext(ctx, `INSERT INTO guests (user_id, expires_at) VALUES (?, ?)`, user.ID, user.GuestUntil.UnixMilli())
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO people (user_id) VALUES (?)`, user.ID)
	}
	if err != nil {
		return err
	}
	return touchPerson(ctx, tx, user.ID)
}

// User implements account.Store.
func (a Accounts) User(ctx context.Context, id string) (account.User, string, error) {
	var hash string
	user, err := scanUser(a.db.read.QueryRowContext(ctx,
		`SELECT `+userColumns+`, password_hash FROM users WHERE id = ?`, id), &hash)
	return user, hash, a.failure("read user", err)
}

// Users implements account.Store.
func (a Accounts) Users(ctx context.Context) ([]account.User, error) {
	rows, err := a.db.read.QueryContext(ctx, `SELECT `+userColumns+` FROM users ORDER BY id`)
	if err != nil {
		return nil, a.failure("list users", err)
	}
	defer func() { _ = rows.Close() }()
	var users []account.User
	for rows.Next() {
		user, err := scanUser(rows)
		if err != nil {
			return nil, a.failure("list users", err)
		}
		users = append(users, user)
	}
	return users, a.failure("list users", rows.Err())
}

// RenameUser implements account.Store.
func (a Accounts) RenameUser(ctx context.Context, id, name string) (account.User, error) {
	var user account.User
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		if err := mustAffect(tx.ExecContext(ctx, `UPDATE users SET name = ? WHERE id = ?`, name, id)); err != nil {
			return err
		}
		err := touchPerson(ctx, tx, id)
		if err != nil {
			return err
		}
		user, err = scanUser(tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE id = ?`, id))
		return err
	})
	return user, a.failure("rename user", err)
}

// ReplacePassword implements account.Store.
func (a Accounts) ReplacePassword(ctx context.Context, change account.PasswordChange) ([]account.EndedSession, error) {
	var ends []account.EndedSession
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		var hash string
		user, err := a.lockUser(ctx, tx, change.UserID, &hash)
		if err == nil && user.Gone {
			err = sql.ErrNoRows
		}
		if err != nil {
			return err
		}
		if change.IfHash != "" && change.IfHash != hash || change.Next != nil && user.Disabled {
			return account.ErrChanged
		}
		if err := mustAffect(tx.ExecContext(ctx,
			`UPDATE users SET password_hash = ? WHERE id = ?`, change.Hash, change.UserID)); err != nil {
			return err
		}
		if ends, err = a.endAll(ctx, tx, change.UserID); err != nil || change.Next == nil {
			return err
		}
		return insertSession(ctx, tx, *change.Next)
	})
	return settled(ends, a.failure("replace password", err))
}

// SetDisabled implements account.Store.
func (a Accounts) SetDisabled(ctx context.Context, id string, disabled bool) ([]account.EndedSession, error) {
	var ends []account.EndedSession
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		var hash string
		user, err := a.lockUser(ctx, tx, id, &hash)
		if err == nil && user.Gone {
			err = sql.ErrNoRows
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE users SET disabled = ? WHERE id = ?`, disabled, id)
		}
		if err == nil && disabled {
			ends, err = a.shutOut(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		return touchPerson(ctx, tx, id)
	})
	return settled(ends, a.failure("disable user", err))
}

// ChangeUser implements account.Store.
func (a Accounts) ChangeUser(ctx context.Context, id string, change account.UserChange) (account.Changed, error) {
	var changed account.Changed
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		if err := a.lockAdmins(ctx, tx); err != nil {
			return err
		}
		var hash string
		before, err := a.lockUser(ctx, tx, id, &hash)
		if err == nil && before.Gone {
			err = sql.ErrNoRows
		}
		if err != nil {
			return err
		}
		after := change.Of(before)
		changed = account.Changed{Before: before, After: after}
		if err := keepsAdmin(ctx, tx, before, after); err != nil {
			return err
		}
		if err := mustAffect(tx.ExecContext(ctx, `UPDATE users SET name = ?, admin = ?, disabled = ? WHERE id = ?`,
			after.Name, after.Admin, after.Disabled, id)); err != nil {
			return err
		}
		if after.Disabled && !before.Disabled {
			if changed.Ends, err = a.shutOut(ctx, tx, id); err != nil {
				return err
			}
		}
		return touchPerson(ctx, tx, id)
	})
	if err != nil {
		return account.Changed{}, a.failure("change user", err)
	}
	return changed, nil
}

// lockAdmins keeps other transactions from changing who administers: the counter's row serves
// as the lock that lets one of several administrators go who would all be the last but one.
func (a Accounts) lockAdmins(ctx context.Context, tx *sql.Tx) error {
	var ignored int64
	return tx.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'session_end'`+a.db.dialect.forUpdate).Scan(&ignored)
}

// keepsAdmin refuses to leave no administrator who can sign in.
func keepsAdmin(ctx context.Context, tx *sql.Tx, before, after account.User) error {
	if !before.Admin || before.Disabled || after.Admin && !after.Disabled {
		return nil
	}
	var others int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE admin <> 0 AND disabled = 0 AND id <> ?`, before.ID).Scan(&others)
	if err == nil && others == 0 {
		return account.ErrLastAdmin
	}
	return err
}

// shutOut ends every session and revokes every invite of a user.
func (a Accounts) shutOut(ctx context.Context, tx *sql.Tx, id string) ([]account.EndedSession, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE invites SET revoked = 1 WHERE created_by = ?`, id); err != nil {
		return nil, err
	}
	return a.endAll(ctx, tx, id)
}

// lockUser reads a user that then stays as it is until the commit.
func (a Accounts) lockUser(ctx context.Context, tx *sql.Tx, id string, hash *string) (account.User, error) {
	return scanUser(tx.QueryRowContext(ctx,
		`SELECT `+userColumns+`, password_hash FROM users WHERE id = ?`+a.db.dialect.forUpdate, id), hash)
}

// scanUser reads userColumns, and what the query has after them into extra.
func scanUser(row interface{ Scan(...any) error }, extra ...any) (account.User, error) {
	var user account.User
	var created, guestUntil, gone int64
	err := row.Scan(append([]any{&user.ID, &user.Name, &user.Admin, &user.Disabled, &created, &guestUntil, &gone}, extra...)...)
	if err != nil {
		return account.User{}, err
	}
	if guestUntil != 0 {
		user.GuestUntil = time.UnixMilli(guestUntil).UTC()
	}
	user.Gone = gone != 0
	user.CreatedAt = time.UnixMilli(created).UTC()
	return user, nil
}

// mustAffect makes sql.ErrNoRows of a statement that found no row.
func mustAffect(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return sql.ErrNoRows
	}
	return err
}

// settled gives no ends of a transaction that failed.
func settled(ends []account.EndedSession, err error) ([]account.EndedSession, error) {
	if err != nil {
		return nil, err
	}
	return ends, nil
}

// failure turns an error of the driver into the one that account.Store names.
func (a Accounts) failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	kind := a.db.dialect.classify(err)
	switch {
	case errors.Is(err, account.ErrChanged), errors.Is(err, account.ErrFull), errors.Is(err, account.ErrLastAdmin):
		return fmt.Errorf("sqlstore: %s: %w", doing, err)
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("sqlstore: %s: %w", doing, account.ErrNotFound)
	case kind == duplicate:
		return fmt.Errorf("sqlstore: %s: %w: %w", doing, account.ErrTaken, err)
	case kind == unavailable, kind == conflict:
		return fmt.Errorf("sqlstore: %s: %s: %w: %w", doing, a.db, account.ErrUnavailable, err)
	default:
		return fmt.Errorf("sqlstore: %s: %w", doing, err)
	}
}
