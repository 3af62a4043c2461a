package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/httpapi/adminlog"
)

// AdminLog keeps what administrators did.
type AdminLog struct{ db *DB }

var _ adminlog.Store = AdminLog{}

// AdminLog gives the store of what administrators did.
func (db *DB) AdminLog() AdminLog { return AdminLog{db: db} }

const entryColumns = `id, done_at, node, admin_id, admin_name, action, target, was, became, undone_by, undoes`

// Append implements adminlog.Store.
func (l AdminLog) Append(ctx context.Context, entry adminlog.Entry) (adminlog.Entry, error) {
	err := l.db.inTx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO admin_log
			(done_at, node, admin_id, admin_name, action, target, was, became, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			entry.At.UnixMilli(), entry.Node, entry.Admin.ID, entry.Admin.Name, entry.Action, entry.Target,
			nullable(entry.Before), nullable(entry.After), entry.Undoes)
		if err != nil {
			return err
		}
		if entry.ID, err = result.LastInsertId(); err != nil {
			return err
		}
		if err := markUndone(ctx, tx, entry); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM admin_log WHERE id <= ?`, entry.ID-adminlog.Keep)
		return err
	})
	if err != nil {
		return adminlog.Entry{}, l.failure("write to the admin log", err)
	}
	return entry, nil
}

func markUndone(ctx context.Context, tx *sql.Tx, entry adminlog.Entry) error {
	if entry.Undoes == 0 {
		return nil
	}
	err := mustAffect(tx.ExecContext(ctx, `UPDATE admin_log SET undone_by = ? WHERE id = ? AND undone_by = 0`, entry.ID, entry.Undoes))
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var exists int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM admin_log WHERE id = ?`, entry.Undoes).Scan(&exists); err != nil {
		return err
	}
	if exists > 0 {
		return adminlog.ErrUndone
	}
	return sql.ErrNoRows
}

// Entries implements adminlog.Store.
func (l AdminLog) Entries(ctx context.Context, before int64, limit int) ([]adminlog.Entry, error) {
	rows, err := l.db.read.QueryContext(ctx, `SELECT `+entryColumns+` FROM admin_log
		WHERE ? = 0 OR id < ? ORDER BY id DESC LIMIT ?`, before, before, limit)
	if err != nil {
		return nil, l.failure("read the admin log", err)
	}
	defer func() { _ = rows.Close() }()
	var entries []adminlog.Entry
	for rows.Next() {
		entry, err := scanEntry(rows)
		if err != nil {
			return nil, l.failure("read the admin log", err)
		}
		entries = append(entries, entry)
	}
	return entries, l.failure("read the admin log", rows.Err())
}

// Entry implements adminlog.Store.
func (l AdminLog) Entry(ctx context.Context, id int64) (adminlog.Entry, error) {
	entry, err := scanEntry(l.db.read.QueryRowContext(ctx, `SELECT `+entryColumns+` FROM admin_log WHERE id = ?`, id))
	return entry, l.failure("read the admin log", err)
}

func scanEntry(row interface{ Scan(...any) error }) (adminlog.Entry, error) {
	var e adminlog.Entry
	var at int64
	var was, became sql.NullString
	err := row.Scan(&e.ID, &at, &e.Node, &e.Admin.ID, &e.Admin.Name, &e.Action, &e.Target, &was, &became, &e.UndoneBy, &e.Undoes)
	if err != nil {
		return adminlog.Entry{}, err
	}
	e.At = time.UnixMilli(at).UTC()
	if was.Valid {
		e.Before = json.RawMessage(was.String)
	}
	if became.Valid {
		e.After = json.RawMessage(became.String)
	}
	return e, nil
}

func nullable(text json.RawMessage) sql.NullString {
	return sql.NullString{String: string(text), Valid: text != nil}
}

// failure turns an error of the driver into the one that adminlog.Store names; a database
// that is away is account.ErrUnavailable here as well.
func (l AdminLog) failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	kind := l.db.dialect.classify(err)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("sqlstore: %s: %w", doing, adminlog.ErrNotFound)
	case kind == unavailable, kind == conflict:
		return fmt.Errorf("sqlstore: %s: %s: %w: %w", doing, l.db, account.ErrUnavailable, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", doing, err)
}
