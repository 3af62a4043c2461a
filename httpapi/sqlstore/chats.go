package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

// Chats keeps chats and their messages.
type Chats struct{ db *DB }

var _ chat.Store = Chats{}

// Chats gives the store of chats.
func (db *DB) Chats() Chats { return Chats{db: db} }

const (
	chatColumns   = `c.id, c.chat_key, c.title, c.created_by, c.created_at, c.pos, c.rev, c.active_at`
	memberColumns = `m.user_id, COALESCE(u.name, m.name), m.born, m.admin, m.joined_at, m.read_pos, m.delivered_pos,
		m.left_at, m.left_pos, m.left_rev, m.left_title`
	// memberTables gives each place with the name that its account has now.
	memberTables   = `chat_members m LEFT JOIN users u ON u.id = m.user_id AND u.created_at = m.born`
	messageColumns = `x.id, c.chat_key, x.pos, x.rev, x.name, x.author, COALESCE(au.name, am.name, x.author), x.kind, x.body,
		x.sent_at, x.edited_at, x.deleted_at, x.unread, x.more`
	// messageAuthor gives a message x of chat c the name of who wrote it, also
	// of one who has gone.
	messageAuthor = ` LEFT JOIN chat_members am ON am.chat_id = x.chat_id AND am.user_id = x.author
		LEFT JOIN users au ON au.id = am.user_id AND au.created_at = am.born`
	// visible is what one with the place m may see.
	visible = `(m.left_at = 0 OR x.pos <= m.left_pos AND x.rev <= m.left_rev)`
)

// Update implements chat.Store.
func (s Chats) Update(ctx context.Context, do func(chat.Tx) error) error {
	err := s.db.inTx(ctx, func(tx *sql.Tx) error { return do(chatTx{ctx, tx, s.db.dialect}) })
	return s.failure("write messages", err)
}

// failure turns an error of the driver into the one that chat.Store names.
func (s Chats) failure(doing string, err error) error {
	if err == nil {
		return nil
	}
	kind := s.db.dialect.classify(err)
	switch {
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, chat.ErrNotFound):
		return fmt.Errorf("sqlstore: %s: %w", doing, chat.ErrNotFound)
	case kind == unavailable, kind == conflict:
		return fmt.Errorf("sqlstore: %s: %s: %w: %w", doing, s.db, chat.ErrUnavailable, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", doing, err)
}

type scanner interface{ Scan(...any) error }

func chatInto(c *chat.Chat) []any {
	return []any{&c.ID, &c.Key, &c.Title, &c.CreatedBy, &c.CreatedAt, &c.Pos, &c.Rev, &c.At}
}

// memberInto gives what to scan memberColumns into, and what to do then.
func memberInto(m *chat.Member) ([]any, func()) {
	left := &chat.Left{}
	into := []any{
		&m.ID, &m.Name, &m.Born, &m.Admin, &m.Joined, &m.Read, &m.Delivered,
		&left.At, &left.Pos, &left.Rev, &left.Title,
	}
	return into, func() {
		if left.At != 0 {
			m.Left = left
		}
	}
}

func scanMember(row scanner) (m chat.Member, err error) {
	into, finish := memberInto(&m)
	if err := row.Scan(into...); err != nil {
		return m, err
	}
	finish()
	return m, nil
}

// scanMessage reads messageColumns, and what the query has after them.
func scanMessage(row scanner, extra ...any) (chat.Message, error) {
	var m chat.Message
	var more sql.NullString
	err := row.Scan(append([]any{
		&m.ID, &m.Key, &m.Pos, &m.Rev, &m.Message, &m.From.ID, &m.From.Name, &m.Kind, &m.Body,
		&m.ServerTime, &m.Edited, &m.Deleted, &m.Unread, &more,
	}, extra...)...)
	if err != nil || !more.Valid {
		return m, err
	}
	switch m.Kind {
	case rtc.KindText:
		err = json.Unmarshal([]byte(more.String), &m.File)
	case rtc.KindCall:
		err = json.Unmarshal([]byte(more.String), &m.Call)
	case rtc.KindNote:
		err = json.Unmarshal([]byte(more.String), &m.Note)
	}
	return m, err
}

// moreOf is what scanMessage reads back.
func moreOf(m chat.Message) (file, more sql.NullString, err error) {
	var v any
	switch {
	case m.File != nil:
		v, file = m.File, sql.NullString{String: m.File.File, Valid: true}
	case m.Call != nil:
		v = m.Call
	case m.Note != nil:
		v = m.Note
	default:
		return file, more, nil
	}
	text, err := json.Marshal(v)
	return file, sql.NullString{String: string(text), Valid: true}, err
}

func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func oneMessage(row scanner) (chat.Message, error) { return scanMessage(row) }
