package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fieldphone/httpapi/account"
)

const sessionColumns = `id, user_id, expires_at, ended_seq`

// CreateSession implements account.Store.
func (a Accounts) CreateSession(ctx context.Context, session account.Session, hash string) error {
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		var current string
		user, err := a.lockUser(ctx, tx, session.UserID, &current)
		if errors.Is(err, sql.ErrNoRows) || err == nil && (user.Disabled || current != hash) {
			return account.ErrChanged
		}
		if err != nil {
			return err
		}
		return insertSession(ctx, tx, session)
	})
	return a.failure("create session", err)
}

func insertSession(ctx context.Context, tx *sql.Tx, session account.Session) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sessions (id, user_id, expires_at) VALUES (?, ?, ?)`,
		session.ID, session.UserID, session.ExpiresAt.UnixMilli())
	return err
}

// Session implements account.Store.
func (a Accounts) Session(ctx context.Context, id string) (account.Session, bool, error) {
	session, err := scanSession(a.db.read.QueryRowContext(ctx,
		`SELECT `+sessionColumns+` FROM sessions WHERE id = ?`, id))
	return session.Session, session.Seq > 0, a.failure("read session", err)
}

// ExtendSession implements account.Store.
func (a Accounts) ExtendSession(ctx context.Context, id string, until time.Time) (account.Session, error) {
	var session account.EndedSession
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		var err error
		session, err = a.lockSession(ctx, tx, id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && session.Seq > 0 {
			return account.ErrChanged
		}
		if err != nil || !until.After(session.ExpiresAt) {
			return err
		}
		session.ExpiresAt = time.UnixMilli(until.UnixMilli()).UTC()
		_, err = tx.ExecContext(ctx, `UPDATE sessions SET expires_at = ? WHERE id = ?`, until.UnixMilli(), id)
		return err
	})
	if err != nil {
		return account.Session{}, a.failure("extend session", err)
	}
	return session.Session, nil
}

// EndSession implements account.Store.
func (a Accounts) EndSession(ctx context.Context, id string) ([]account.EndedSession, error) {
	var ends []account.EndedSession
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		session, err := a.lockSession(ctx, tx, id)
		if err != nil {
			return err
		}
		ends, err = a.end(ctx, tx, []account.EndedSession{session})
		return err
	})
	return settled(ends, a.failure("end session", err))
}

// EndSessions implements account.Store.
func (a Accounts) EndSessions(ctx context.Context, userID string) ([]account.EndedSession, error) {
	var ends []account.EndedSession
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		var hash string
		if _, err := a.lockUser(ctx, tx, userID, &hash); err != nil {
			return err
		}
		var err error
		ends, err = a.endAll(ctx, tx, userID)
		return err
	})
	return settled(ends, a.failure("end sessions", err))
}

func (a Accounts) lockSession(ctx context.Context, tx *sql.Tx, id string) (account.EndedSession, error) {
	return scanSession(tx.QueryRowContext(ctx,
		`SELECT `+sessionColumns+` FROM sessions WHERE id = ?`+a.db.dialect.forUpdate, id))
}

// endAll ends every session of a user. The caller has locked the user's row,
// so that no session can join meanwhile.
func (a Accounts) endAll(ctx context.Context, tx *sql.Tx, userID string) ([]account.EndedSession, error) {
	rows, err := tx.QueryContext(ctx,
		`SELECT `+sessionColumns+` FROM sessions WHERE user_id = ? ORDER BY id`+a.db.dialect.forUpdate, userID)
	if err != nil {
		return nil, err
	}
	sessions, err := scanSessions(rows)
	if err != nil {
		return nil, err
	}
	return a.end(ctx, tx, sessions)
}

// end marks those sessions that were not ended before and gives them. The row
// of the counter is locked from here to the commit, so the order of the
// numbers is the order of the commits: whoever has read up to a number has
// missed none below it.
func (a Accounts) end(ctx context.Context, tx *sql.Tx, sessions []account.EndedSession) ([]account.EndedSession, error) {
	var ends []account.EndedSession
	for _, session := range sessions {
		if session.Seq == 0 {
			ends = append(ends, session)
		}
	}
	if len(ends) == 0 {
		return nil, nil
	}
	if err := mustAffect(tx.ExecContext(ctx,
		`UPDATE counters SET value = value + ? WHERE name = 'session_end'`, len(ends))); err != nil {
		return nil, err
	}
	var last int64
	if err := tx.QueryRowContext(ctx,
		`SELECT value FROM counters WHERE name = 'session_end'`+a.db.dialect.forUpdate).Scan(&last); err != nil {
		return nil, err
	}
	for i := range ends {
		ends[i].Seq = last - int64(len(ends)-1-i)
		if err := mustAffect(tx.ExecContext(ctx,
			`UPDATE sessions SET ended_seq = ? WHERE id = ?`, ends[i].Seq, ends[i].ID)); err != nil {
			return nil, err
		}
	}
	return ends, nil
}

// EndedSessions implements account.Store.
func (a Accounts) EndedSessions(ctx context.Context, after int64, limit int) ([]account.EndedSession, error) {
	rows, err := a.db.read.QueryContext(ctx,
		`SELECT `+sessionColumns+` FROM sessions WHERE ended_seq > 0 AND ended_seq > ? ORDER BY ended_seq LIMIT ?`,
		after, limit)
	if err != nil {
		return nil, a.failure("read ended sessions", err)
	}
	ends, err := scanSessions(rows)
	return ends, a.failure("read ended sessions", err)
}

// DeleteSessions implements account.Store.
func (a Accounts) DeleteSessions(ctx context.Context, expiredBefore time.Time) (int64, error) {
	result, err := a.db.write.ExecContext(ctx,
		`DELETE FROM sessions WHERE expires_at < ?`, expiredBefore.UnixMilli())
	if err != nil {
		return 0, a.failure("delete sessions", err)
	}
	n, err := result.RowsAffected()
	return n, a.failure("delete sessions", err)
}

func scanSession(row interface{ Scan(...any) error }) (account.EndedSession, error) {
	var session account.EndedSession
	var expires int64
	if err := row.Scan(&session.ID, &session.UserID, &expires, &session.Seq); err != nil {
		return account.EndedSession{}, err
	}
	session.ExpiresAt = time.UnixMilli(expires).UTC()
	return session, nil
}

func scanSessions(rows *sql.Rows) ([]account.EndedSession, error) {
	defer func() { _ = rows.Close() }()
	var sessions []account.EndedSession
	for rows.Next() {
		session, err := scanSession(rows)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
	}
	return sessions, rows.Err()
}
