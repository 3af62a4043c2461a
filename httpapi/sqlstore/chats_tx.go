package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"fieldphone/rtc/chat"
)

// chatTx implements chat.Tx.
type chatTx struct {
	ctx     context.Context
	tx      *sql.Tx
	dialect dialect
}

// orMissing names sql.ErrNoRows as chat.Tx does.
func orMissing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return chat.ErrNotFound
	}
	return err
}

// Person implements chat.Tx.
func (t chatTx) Person(id string) (p chat.Person, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT id, name, created_at FROM users WHERE id = ?`, id).Scan(&p.ID, &p.Name, &p.Born)
	return p, orMissing(err)
}

// Chat implements chat.Tx.
func (t chatTx) Chat(key string) (c chat.Chat, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT `+chatColumns+` FROM chats c WHERE c.chat_key = ?`+t.dialect.forUpdate, key).
		Scan(chatInto(&c)...)
	return c, orMissing(err)
}

// AddChat implements chat.Tx.
func (t chatTx) AddChat(c chat.Chat) (chat.Chat, error) {
	_, err := t.tx.ExecContext(t.ctx, t.dialect.insertIgnore+` INTO chats (chat_key, title, created_by, created_at, active_at)
		VALUES (?, ?, ?, ?, ?)`, c.Key, c.Title, c.CreatedBy, c.CreatedAt, c.At)
	if err != nil {
		return c, err
	}
	return t.Chat(c.Key)
}

// SaveChat implements chat.Tx.
func (t chatTx) SaveChat(c chat.Chat) error {
	return mustAffect(t.tx.ExecContext(t.ctx, `UPDATE chats SET title = ?, pos = ?, rev = ?, active_at = ? WHERE id = ?`,
		c.Title, c.Pos, c.Rev, c.At, c.ID))
}

// DropChat implements chat.Tx.
func (t chatTx) DropChat(id int64) error {
	_, err := t.tx.ExecContext(t.ctx, `DELETE FROM chats WHERE id = ?`, id)
	return err
}

// Members implements chat.Tx.
func (t chatTx) Members(id int64) ([]chat.Member, error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT `+memberColumns+` FROM `+memberTables+`
		WHERE m.chat_id = ? ORDER BY m.joined_at, m.user_id`, id)
	return collect(rows, err, scanMember)
}

// SaveMember implements chat.Tx.
func (t chatTx) SaveMember(id int64, m chat.Member) error {
	var left chat.Left
	if m.Left != nil {
		left = *m.Left
	}
	_, err := t.tx.ExecContext(t.ctx, `REPLACE INTO chat_members (chat_id, user_id, born, name, admin, joined_at,
		read_pos, delivered_pos, left_at, left_pos, left_rev, left_title) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, m.ID, m.Born, m.Name, m.Admin, m.Joined, m.Read, m.Delivered, left.At, left.Pos, left.Rev, left.Title)
	return err
}

// Message implements chat.Tx.
func (t chatTx) Message(id int64, name string) (chat.Message, error) {
	m, err := scanMessage(t.tx.QueryRowContext(t.ctx, `SELECT `+messageColumns+` FROM messages x
		JOIN chats c ON c.id = x.chat_id`+messageAuthor+` WHERE x.chat_id = ? AND x.name = ?`, id, name))
	return m, orMissing(err)
}

// AddMessage implements chat.Tx.
func (t chatTx) AddMessage(id int64, m chat.Message) error {
	file, more, err := moreOf(m)
	if err != nil {
		return err
	}
	result, err := t.tx.ExecContext(t.ctx, `INSERT INTO messages
		(chat_id, pos, rev, name, author, kind, body, sent_at, unread, file, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, m.Pos, m.Rev, m.Message, m.From.ID, m.Kind, m.Body, m.ServerTime, m.Unread, file, more)
	if err != nil || m.Call == nil {
		return err
	}
	row, err := result.LastInsertId()
	if err != nil {
		return err
	}
	for _, user := range []string{m.From.ID, chat.Seen(m.Key, m.From.ID)} {
		if _, err := t.tx.ExecContext(t.ctx, `INSERT INTO call_log (user_id, sent_at, message_id) VALUES (?, ?, ?)`,
			user, m.ServerTime, row); err != nil {
			return err
		}
	}
	return nil
}

// SaveMessage implements chat.Tx.
func (t chatTx) SaveMessage(id int64, m chat.Message) error {
	file, more, err := moreOf(m)
	if err != nil {
		return err
	}
	return mustAffect(t.tx.ExecContext(t.ctx, `UPDATE messages SET rev = ?, body = ?, edited_at = ?, deleted_at = ?, unread = ?,
		file = ?, more = ? WHERE chat_id = ? AND name = ?`,
		m.Rev, m.Body, m.Edited, m.Deleted, m.Unread, file, more, id, m.Message))
}

// Groups implements chat.Tx.
func (t chatTx) Groups(by string) (n int, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT COUNT(*) FROM chats WHERE created_by = ? AND created_by <> ''`, by).Scan(&n)
	return n, err
}
