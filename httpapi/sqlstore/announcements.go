package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fieldphone/httpapi/account"
	"fieldphone/rtc"
	"fieldphone/rtc/announce"
)

// Announcements keeps what administrators said to all, and who has seen it.
type Announcements struct{ db *DB }

var _ announce.Store = Announcements{}

// Announcements gives the store of what administrators said to all.
func (db *DB) Announcements() Announcements { return Announcements{db: db} }

const (
	announcementColumns = `a.name, a.from_id, a.from_name, a.body, a.tag, a.attention, a.made_at, a.ended_at`
	// Of those for whom it is, they count who can see it or have.
	announcementCounts = `COALESCE(SUM(p.seen_at > 0), 0),
		COALESCE(SUM(p.seen_at > 0 OR (u.id IS NOT NULL AND u.disabled = 0)), 0)`
	announcementPeople = ` LEFT JOIN announcement_audience p ON p.announcement = a.id LEFT JOIN users u ON u.id = p.user_id `
	audienceAtOnce     = 500 // rows in one statement
)

// Add implements announce.Store.
func (s Announcements) Add(ctx context.Context, a announce.Announcement, audience []string) (announce.Announcement, bool, error) {
	err := s.db.inTx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO announcements (name, from_id, from_name, body, tag, attention, made_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, a.Name, a.From.ID, a.From.Name, a.Body, a.Tag, a.Attention, a.At.UnixMilli())
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		if err != nil {
			return err
		}
		for some := range slices.Chunk(audience, audienceAtOnce) {
			var values []any
			for _, user := range some {
				values = append(values, id, user)
			}
			rows := strings.TrimSuffix(strings.Repeat("(?, ?),", len(some)), ",")
			if _, err := tx.ExecContext(ctx, `INSERT INTO announcement_audience (announcement, user_id) VALUES `+rows, values...); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM announcements WHERE id <= ?`, id-announce.Keep)
		return err
	})
	if err != nil && s.db.dialect.classify(err) == duplicate {
		entry, err := s.Entry(ctx, a.Name)
		return entry.Announcement, false, err
	}
	if err != nil {
		return announce.Announcement{}, false, s.failure("keep announcement", err)
	}
	a.At = time.UnixMilli(a.At.UnixMilli()).UTC()
	return a, true, nil
}

// Include implements announce.Store.
func (s Announcements) Include(ctx context.Context, name, user string) error {
	_, err := s.db.write.ExecContext(ctx, `INSERT INTO announcement_audience (announcement, user_id)
		VALUES ((SELECT id FROM announcements WHERE name = ?), ?)`, name, user)
	if err == nil || s.db.dialect.classify(err) == duplicate {
		return nil
	}
	if _, missing := s.Entry(ctx, name); errors.Is(missing, announce.ErrNotFound) {
		return missing // the row had no announcement to belong to
	}
	return s.failure("add to the audience", err)
}

// Acknowledge implements announce.Store.
func (s Announcements) Acknowledge(ctx context.Context, name, user string, at time.Time) (first bool, err error) {
	const which = ` WHERE user_id = ? AND announcement = (SELECT id FROM announcements WHERE name = ?)`
	err = s.db.inTx(ctx, func(tx *sql.Tx) error {
		err := mustAffect(tx.ExecContext(ctx, `UPDATE announcement_audience SET seen_at = ?`+which+` AND seen_at = 0`,
			at.UnixMilli(), user, name))
		if first = err == nil; first || !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var seen int64 // once more, or not for this person
		return tx.QueryRowContext(ctx, `SELECT seen_at FROM announcement_audience`+which, user, name).Scan(&seen)
	})
	return first && err == nil, s.failure("acknowledge", err)
}

// End implements announce.Store.
func (s Announcements) End(ctx context.Context, name string, at time.Time) error {
	_, err := s.db.write.ExecContext(ctx, `UPDATE announcements SET ended_at = ? WHERE name = ? AND attention = 1 AND ended_at = 0`,
		at.UnixMilli(), name)
	return s.failure("end an attention call", err)
}

// Missed implements announce.Store.
func (s Announcements) Missed(ctx context.Context, user string, since time.Time) ([]announce.Announcement, error) {
	return s.announcements(ctx, `SELECT `+announcementColumns+` FROM announcements a
		WHERE a.attention = 0 AND a.made_at >= ? AND a.from_id <> ?
		AND NOT EXISTS (SELECT 1 FROM announcement_audience p WHERE p.announcement = a.id AND p.user_id = ?)
		ORDER BY a.id DESC`, since.UnixMilli(), user, user)
}

// Pending implements announce.Store.
func (s Announcements) Pending(ctx context.Context, user string) ([]announce.Announcement, error) {
	return s.announcements(ctx, `SELECT `+announcementColumns+` FROM announcement_audience p
		JOIN announcements a ON a.id = p.announcement
		WHERE p.user_id = ? AND p.seen_at = 0 AND a.attention = 0 ORDER BY a.id DESC`, user)
}

func (s Announcements) announcements(ctx context.Context, query string, args ...any) ([]announce.Announcement, error) {
	rows, err := s.db.read.QueryContext(ctx, query, args...)
	found, err := collect(rows, err, func(row scanner) (a announce.Announcement, err error) {
		err = scanAnnouncement(row, &a)
		return a, err
	})
	return found, s.failure("read announcements", err)
}

// List implements announce.Store.
func (s Announcements) List(ctx context.Context, viewer string, everybodys bool, limit int) ([]announce.Entry, error) {
	const query = `SELECT ` + announcementColumns + `, ` + announcementCounts + `,
		COALESCE(MAX(CASE WHEN p.user_id = ? THEN p.seen_at ELSE -1 END), -1)
		FROM (SELECT * FROM announcements b WHERE ? = 1
			OR EXISTS (SELECT 1 FROM announcement_audience q WHERE q.announcement = b.id AND q.user_id = ?)
			ORDER BY b.id DESC LIMIT ?) a` + announcementPeople + `
		GROUP BY a.id, ` + announcementColumns + ` ORDER BY a.id DESC`
	all := 0
	if everybodys {
		all = 1
	}
	rows, err := s.db.read.QueryContext(ctx, query, viewer, all, viewer, limit)
	entries, err := collect(rows, err, func(row scanner) (announce.Entry, error) {
		var e announce.Entry
		var mine int64
		if err := scanAnnouncement(row, &e.Announcement, &e.Seen, &e.Of, &mine); err != nil {
			return e, err
		}
		e.Mine = mine >= 0
		if mine > 0 {
			e.SeenAt = time.UnixMilli(mine).UTC()
		}
		return e, nil
	})
	return entries, s.failure("list announcements", err)
}

// Entry implements announce.Store.
func (s Announcements) Entry(ctx context.Context, name string) (announce.Entry, error) {
	var e announce.Entry
	row := s.db.read.QueryRowContext(ctx, `SELECT `+announcementColumns+`, `+announcementCounts+` FROM announcements a`+
		announcementPeople+`WHERE a.name = ? GROUP BY a.id, `+announcementColumns, name)
	err := scanAnnouncement(row, &e.Announcement, &e.Seen, &e.Of)
	return e, s.failure("read announcement", err)
}

// Readers implements announce.Store.
func (s Announcements) Readers(ctx context.Context, name string) (seen []announce.Reader, missing []rtc.User, err error) {
	const query = `SELECT p.user_id, COALESCE(u.name, p.user_id), p.seen_at FROM announcement_audience p
		LEFT JOIN users u ON u.id = p.user_id
		WHERE p.announcement = (SELECT id FROM announcements WHERE name = ?)
		AND (p.seen_at > 0 OR (u.id IS NOT NULL AND u.disabled = 0)) ORDER BY p.seen_at DESC, 2, 1`
	rows, err := s.db.read.QueryContext(ctx, query, name)
	readers, err := collect(rows, err, func(row scanner) (r announce.Reader, err error) {
		var at int64
		if err := row.Scan(&r.User.ID, &r.User.Name, &at); err != nil || at == 0 {
			return r, err
		}
		r.At = time.UnixMilli(at).UTC()
		return r, nil
	})
	for _, r := range readers {
		if r.At.IsZero() {
			missing = append(missing, r.User)
		} else {
			seen = append(seen, r)
		}
	}
	return seen, missing, s.failure("read who has seen it", err)
}

func scanAnnouncement(row scanner, a *announce.Announcement, more ...any) error {
	var at, ended int64
	err := row.Scan(append([]any{&a.Name, &a.From.ID, &a.From.Name, &a.Body, &a.Tag, &a.Attention, &at, &ended}, more...)...)
	if err != nil {
		return err
	}
	a.At = time.UnixMilli(at).UTC()
	if ended > 0 {
		a.Ended = time.UnixMilli(ended).UTC()
	}
	return nil
}

// failure turns an error of the driver into the one that announce.Store names; a database
// that is away is account.ErrUnavailable here as well.
func (s Announcements) failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	kind := s.db.dialect.classify(err)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("sqlstore: %s: %w", doing, announce.ErrNotFound)
	case kind == unavailable, kind == conflict:
		return fmt.Errorf("sqlstore: %s: %s: %w: %w", doing, s.db, account.ErrUnavailable, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", doing, err)
}
