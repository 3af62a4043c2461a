package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"fieldphone/httpapi/files"
)

// Files keeps what is known of files.
type Files struct{ db *DB }

var _ files.Store = Files{}

// Files gives the store of what is known of files.
func (db *DB) Files() Files { return Files{db: db} }

const fileColumns = `name, owner_id, chat, kind, title, media_type, size, sum, shown, state, created_at, expires_at`

// CreateFile implements files.Store. The counter's row serves as the lock that
// lets one of several go first, so that together they stay in the quotas.
func (s Files) CreateFile(ctx context.Context, f files.File, limits files.Limits) error {
	err := s.db.inTx(ctx, func(tx *sql.Tx) error {
		var ignored, own, all int64
		if err := tx.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'files'`+s.db.dialect.forUpdate).Scan(&ignored); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN owner_id = ? THEN charge ELSE 0 END), 0), COALESCE(SUM(charge), 0)
			FROM files WHERE state <> ?`, f.Owner, files.Gone).Scan(&own, &all); err != nil {
			return err
		}
		charge := files.Charge(f.Size)
		switch {
		case own+charge > limits.PerOwner:
			return files.ErrOwnerFull
		case all+charge > limits.Total:
			return files.ErrFull
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO files (`+fileColumns+`, charge) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?)`,
			f.Name, f.Owner, f.Chat, f.Kind, f.Title, f.Type, f.Size, f.Sum, files.Partial, f.CreatedAt.UnixMilli(), f.ExpiresAt.UnixMilli(), charge)
		return err
	})
	return s.failure("keep a file", err)
}

// File implements files.Store.
func (s Files) File(ctx context.Context, name string) (files.File, error) {
	f, err := scanFile(s.db.read.QueryRowContext(ctx, `SELECT `+fileColumns+` FROM files WHERE name = ?`, name))
	return f, s.failure("look for a file", err)
}

// CompleteFile implements files.Store.
func (s Files) CompleteFile(ctx context.Context, name, sum, shown string, expires time.Time) error {
	return s.failure("complete a file", mustAffect(s.db.write.ExecContext(ctx,
		`UPDATE files SET state = ?, sum = ?, shown = ?, expires_at = ? WHERE name = ? AND state = ?`,
		files.Complete, sum, shown, expires.UnixMilli(), name, files.Partial)))
}

// ExtendFile implements files.Store.
func (s Files) ExtendFile(ctx context.Context, name string, expires time.Time) error {
	return s.failure("extend a file", mustAffect(s.db.write.ExecContext(ctx,
		`UPDATE files SET expires_at = ? WHERE name = ? AND state = ?`, expires.UnixMilli(), name, files.Partial)))
}

// RetireFile implements files.Store.
func (s Files) RetireFile(ctx context.Context, name string, until time.Time) error {
	return s.failure("retire a file", mustAffect(s.db.write.ExecContext(ctx,
		`UPDATE files SET state = ?, title = '', expires_at = ? WHERE name = ?`, files.Gone, until.UnixMilli(), name)))
}

// DeleteFile implements files.Store.
func (s Files) DeleteFile(ctx context.Context, name string) error {
	_, err := s.db.write.ExecContext(ctx, `DELETE FROM files WHERE name = ?`, name)
	return s.failure("delete a file", err)
}

// ExpiredFiles implements files.Store.
func (s Files) ExpiredFiles(ctx context.Context, now time.Time, limit int) ([]files.File, error) {
	return s.list(ctx, `WHERE expires_at <= ? ORDER BY expires_at, name LIMIT ?`, now.UnixMilli(), limit)
}

// FilesOf implements files.Store.
func (s Files) FilesOf(ctx context.Context, owner string) ([]files.File, error) {
	return s.list(ctx, `WHERE owner_id = ? AND state <> ? ORDER BY created_at, name`, owner, files.Gone)
}

func (s Files) list(ctx context.Context, where string, args ...any) ([]files.File, error) {
	const doing = "list files"
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+fileColumns+` FROM files `+where, args...)
	if err != nil {
		return nil, s.failure(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var found []files.File
	for rows.Next() {
		f, err := scanFile(rows)
		if err != nil {
			return nil, s.failure(doing, err)
		}
		found = append(found, f)
	}
	return found, s.failure(doing, rows.Err())
}

// FileNames implements files.Store.
func (s Files) FileNames(ctx context.Context, after string, limit int) ([]string, error) {
	const doing = "list the names of files"
	rows, err := s.db.read.QueryContext(ctx, `SELECT name FROM files WHERE name > ? AND state <> ? ORDER BY name LIMIT ?`, after, files.Gone, limit)
	if err != nil {
		return nil, s.failure(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, s.failure(doing, err)
		}
		names = append(names, name)
	}
	return names, s.failure(doing, rows.Err())
}

func scanFile(row interface{ Scan(...any) error }) (files.File, error) {
	var f files.File
	var created, expires int64
	err := row.Scan(&f.Name, &f.Owner, &f.Chat, &f.Kind, &f.Title, &f.Type, &f.Size, &f.Sum, &f.Shown, &f.State, &created, &expires)
	if err != nil {
		return files.File{}, err
	}
	f.CreatedAt, f.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	return f, nil
}

// failure turns an error of the driver into the one that files.Store names.
func (s Files) failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	kind := s.db.dialect.classify(err)
	switch {
	case errors.Is(err, files.ErrOwnerFull), errors.Is(err, files.ErrFull):
		return fmt.Errorf("sqlstore: %s: %w", doing, err)
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("sqlstore: %s: %w", doing, files.ErrNotFound)
	case kind == duplicate:
		return fmt.Errorf("sqlstore: %s: %w: %w", doing, files.ErrExists, err)
	case kind == unavailable, kind == conflict:
		return fmt.Errorf("sqlstore: %s: %s: %w: %w", doing, s.db, files.ErrUnavailable, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", doing, err)
}
