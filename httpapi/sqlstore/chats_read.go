package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fieldphone/rtc"
	"fieldphone/rtc/chat"
)

// Access implements chat.Store.
func (s Chats) Access(ctx context.Context, key, user string) (c chat.Chat, m chat.Member, err error) {
	into, finish := memberInto(&m)
	err = s.db.read.QueryRowContext(ctx, `SELECT `+chatColumns+`, `+memberColumns+` FROM chats c
		JOIN chat_members m ON m.chat_id = c.id JOIN users u ON u.id = m.user_id AND u.created_at = m.born
		WHERE c.chat_key = ? AND m.user_id = ?`, key, user).Scan(append(chatInto(&c), into...)...)
	finish()
	return c, m, s.failure("look for a chat", err)
}

// Members implements chat.Store.
func (s Chats) Members(ctx context.Context, id int64) ([]chat.Member, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+memberColumns+` FROM `+memberTables+`
		WHERE m.chat_id = ? AND m.left_at = 0 ORDER BY m.joined_at, m.user_id`, id)
	members, err := collect(rows, err, scanMember)
	return members, s.failure("list the members of a chat", err)
}

// Messages implements chat.Store.
func (s Chats) Messages(ctx context.Context, r chat.Range) ([]chat.Message, error) {
	where, args := `x.chat_id = ?`, []any{r.Chat.ID}
	if left := r.Me.Left; left != nil {
		where += ` AND x.pos <= ? AND x.rev <= ?`
		args = append(args, left.Pos, left.Rev)
	}
	order := `x.pos DESC`
	switch {
	case r.ByRev:
		where, order, args = where+` AND x.rev > ?`, `x.rev`, append(args, r.Since)
	case r.Before > 0:
		where, args = where+` AND x.pos < ?`, append(args, r.Before)
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages x JOIN chats c ON c.id = x.chat_id`+
		messageAuthor+` WHERE `+where+` ORDER BY `+order+` LIMIT ?`, append(args, r.Limit)...)
	got, err := collect(rows, err, oneMessage)
	if !r.ByRev {
		slices.Reverse(got)
	}
	return got, s.failure("read messages", err)
}

// unreadAfter is the position after which messages are looked at to count the
// unread; one bound, since of two the index would serve the lower.
func unreadAfter() string {
	return fmt.Sprintf(`CASE WHEN m.read_pos > %[1]s - %[2]d THEN m.read_pos ELSE %[1]s - %[2]d END`,
		`(CASE WHEN m.left_at = 0 THEN c.pos ELSE m.left_pos END)`, chat.CountedUnread)
}

// activity is a chat's place in somebody's list.
type activity struct{ chat, at int64 }

// Chats implements chat.Store.
func (s Chats) Chats(ctx context.Context, user string, before int64, limit int) ([]chat.Entry, bool, error) {
	page, more, err := s.activities(ctx, user, before, limit)
	if err != nil || len(page) == 0 {
		return nil, false, s.failure("list chats", err)
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(page)), ",")
	args := []any{user}
	for _, a := range page {
		args = append(args, a.chat)
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+chatColumns+`, `+memberColumns+`,
		(SELECT COUNT(*) FROM messages n WHERE n.chat_id = c.id AND n.pos > `+unreadAfter()+` AND n.unread = 1 AND n.author <> m.user_id AND (m.left_at = 0 OR n.pos <= m.left_pos)),
		CASE WHEN c.chat_key LIKE '#%' THEN (SELECT COUNT(*) FROM chat_members g WHERE g.chat_id = c.id AND g.left_at = 0) ELSE 2 END
		FROM chat_members m JOIN chats c ON c.id = m.chat_id JOIN users u ON u.id = m.user_id AND u.created_at = m.born
		WHERE m.user_id = ? AND m.chat_id IN (`+marks+`)`, args...)
	entries, err := collect(rows, err, scanChatEntry)
	if err == nil {
		err = s.fill(ctx, user, entries, marks, args[1:])
	}
	at := make(map[int64]int64, len(page))
	for _, a := range page {
		at[a.chat] = a.at
	}
	for i := range entries {
		entries[i].At = at[entries[i].ID]
	}
	slices.SortFunc(entries, func(a, b chat.Entry) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID))
	})
	return entries, more, s.failure("list chats", err)
}

// activities sorts all chats of somebody, which takes two index entries each,
// and gives a page of them.
func (s Chats) activities(ctx context.Context, user string, before int64, limit int) (page []activity, more bool, err error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT c.id, CASE WHEN m.left_at = 0 THEN c.active_at ELSE m.left_at END
		FROM chat_members m JOIN chats c ON c.id = m.chat_id JOIN users u ON u.id = m.user_id AND u.created_at = m.born
		WHERE m.user_id = ?`, user)
	all, err := collect(rows, err, func(row scanner) (a activity, err error) { return a, row.Scan(&a.chat, &a.at) })
	if err != nil {
		return nil, false, err
	}
	if before > 0 {
		all = slices.DeleteFunc(all, func(a activity) bool { return a.at >= before })
	}
	slices.SortFunc(all, func(a, b activity) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(b.chat, a.chat)) })
	n := min(limit, len(all))
	for n > 0 && n < len(all) && all[n].at == all[n-1].at {
		n++
	}
	return all[:n], n < len(all), nil
}

func scanChatEntry(row scanner) (e chat.Entry, err error) {
	into, finish := memberInto(&e.Me)
	err = row.Scan(append(append(chatInto(&e.Chat), into...), &e.Unread, &e.Members)...)
	finish()
	return e, err
}

// fill gives entries their last messages and, of chats of two, the other.
func (s Chats) fill(ctx context.Context, user string, entries []chat.Entry, marks string, ids []any) error {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+messageColumns+`, x.chat_id FROM chat_members m
		JOIN chats c ON c.id = m.chat_id
		JOIN messages x ON x.chat_id = c.id AND x.pos = (SELECT MAX(l.pos) FROM messages l WHERE l.chat_id = m.chat_id
			AND l.pos <= CASE WHEN m.left_at = 0 THEN c.pos ELSE m.left_pos END)`+messageAuthor+`
		WHERE m.user_id = ? AND m.chat_id IN (`+marks+`) AND `+visible, append([]any{user}, ids...)...)
	type last struct {
		chat.Message
		chat int64
	}
	lasts, err := collect(rows, err, func(row scanner) (l last, err error) {
		l.Message, err = scanMessage(row, &l.chat)
		return l, err
	})
	if err != nil {
		return err
	}
	rows, err = s.db.read.QueryContext(ctx, `SELECT m.chat_id, `+memberColumns+` FROM `+memberTables+`
		JOIN chats c ON c.id = m.chat_id
		WHERE m.user_id <> ? AND m.chat_id IN (`+marks+`) AND c.chat_key NOT LIKE '#%'`, append([]any{user}, ids...)...)
	type peer struct {
		chat.Member
		chat int64
	}
	peers, err := collect(rows, err, func(row scanner) (p peer, err error) {
		into, finish := memberInto(&p.Member)
		err = row.Scan(append([]any{&p.chat}, into...)...)
		finish()
		return p, err
	})
	if err != nil {
		return err
	}
	place := make(map[int64]*chat.Entry, len(entries))
	for i := range entries {
		place[entries[i].ID] = &entries[i]
	}
	for i := range lasts {
		if e := place[lasts[i].chat]; e != nil {
			e.Last = &lasts[i].Message
		}
	}
	for i := range peers {
		if e := place[peers[i].chat]; e != nil {
			e.Peer = &peers[i].Member
		}
	}
	return nil
}

// Calls implements chat.Store.
func (s Chats) Calls(ctx context.Context, user string, before int64, limit int) ([]chat.PastCall, bool, error) {
	query := `SELECT ` + messageColumns + `, COALESCE(tu.name, tm.name, '') FROM call_log l
		JOIN messages x ON x.id = l.message_id JOIN chats c ON c.id = x.chat_id
		JOIN chat_members m ON m.chat_id = c.id AND m.user_id = l.user_id
		JOIN users u ON u.id = m.user_id AND u.created_at = m.born` + messageAuthor + `
		LEFT JOIN chat_members tm ON tm.chat_id = x.chat_id AND tm.user_id <> x.author
		LEFT JOIN users tu ON tu.id = tm.user_id AND tu.created_at = tm.born
		WHERE l.user_id = ? AND l.sent_at `
	scan := func(row scanner) (p chat.PastCall, err error) {
		p.Message, err = scanMessage(row, &p.To.Name)
		p.To.ID = chat.Seen(p.Key, p.From.ID)
		return p, err
	}
	rows, err := s.db.read.QueryContext(ctx, query+`< ? ORDER BY l.sent_at DESC, l.message_id DESC LIMIT ?`, user, orEnd(before), limit+1)
	got, err := collect(rows, err, scan)
	got, more, err := wholeTies(got, limit, err, func(p chat.PastCall) int64 { return p.ServerTime }, func(at int64) ([]chat.PastCall, error) {
		rows, err := s.db.read.QueryContext(ctx, query+`= ? ORDER BY l.message_id DESC LIMIT ?`, user, at, chat.MaxMessages)
		return collect(rows, err, scan)
	})
	return got, more, s.failure("list calls", err)
}

// CallsSeen implements chat.Store.
func (s Chats) CallsSeen(ctx context.Context, user string) (at int64, err error) {
	err = s.db.read.QueryRowContext(ctx, `SELECT seen_at FROM calls_seen WHERE user_id = ?`, user).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return at, s.failure("read seen calls", err)
}

// SeeCalls implements chat.Store.
func (s Chats) SeeCalls(ctx context.Context, user string, at int64) (changed bool, err error) {
	err = s.db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.db.dialect.insertIgnore+` INTO calls_seen (user_id, seen_at) VALUES (?, 0)`, user); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE calls_seen SET seen_at = ? WHERE user_id = ? AND seen_at < ?`, at, user, at)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		changed = n > 0
		return err
	})
	return changed, s.failure("note seen calls", err)
}

// orEnd makes of 0 the end of time.
func orEnd(before int64) int64 {
	if before <= 0 {
		return rtc.MaxPosition
	}
	return before
}

// wholeTies cuts a list, got with one too many, so that what is of the same
// time as the last is in it: the next page begins before that time.
func wholeTies[T any](got []T, limit int, err error, at func(T) int64, same func(int64) ([]T, error)) ([]T, bool, error) {
	if err != nil || len(got) <= limit || limit == 0 {
		return got, false, err
	}
	last := at(got[limit-1])
	if at(got[limit]) != last {
		return got[:limit], true, nil
	}
	ties, err := same(last)
	if err != nil {
		return nil, false, err
	}
	first := slices.IndexFunc(got, func(t T) bool { return at(t) == last })
	return append(got[:first], ties...), true, nil
}

// Search implements chat.Store. What is near the end is found first; it goes on
// through all messages of the site until there is enough or ctx ends.
func (s Chats) Search(ctx context.Context, find chat.Find) ([]chat.Message, bool, error) {
	like, args := s.db.dialect.like("x.body", find.Text)
	where := ` WHERE x.kind = 'text' AND x.deleted_at = 0 AND ` + like + ` AND ` + visible
	args = append([]any{find.User}, args...)
	from, order := `messages x `+s.db.dialect.orderedJoin+` chat_members m ON m.chat_id = x.chat_id AND m.user_id = ?`, `x.sent_at DESC, x.id DESC`
	if find.Key != "" {
		where, args = where+` AND x.chat_id = (SELECT id FROM chats WHERE chat_key = ?)`, append(args, find.Key)
	}
	query := `SELECT ` + messageColumns + ` FROM ` + from + ` JOIN chats c ON c.id = x.chat_id
		JOIN users u ON u.id = m.user_id AND u.created_at = m.born` + messageAuthor + where + ` AND x.sent_at `
	rows, err := s.db.read.QueryContext(ctx, query+`< ? ORDER BY `+order+` LIMIT ?`, append(slices.Clone(args), orEnd(find.Before), find.Limit+1)...)
	got, err := collect(rows, err, oneMessage)
	got, more, err := wholeTies(got, find.Limit, err, func(m chat.Message) int64 { return m.ServerTime }, func(at int64) ([]chat.Message, error) {
		rows, err := s.db.read.QueryContext(ctx, query+`= ? ORDER BY x.id DESC LIMIT ?`, append(slices.Clone(args), at, chat.MaxMessages)...)
		return collect(rows, err, oneMessage)
	})
	return got, more, s.failure("search messages", err)
}

// likeEscape makes every character of a text mean itself in LIKE ... ESCAPE '!'.
var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// likeSQLite matches whatever the case; SQLite itself does so for ASCII alone.
func likeSQLite(column, text string) (string, []any) {
	forms := []string{text}
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		lower := strings.ToLower(text)
		first, size := utf8.DecodeRuneInString(lower)
		forms = append(forms, lower, strings.ToUpper(text), strings.ToUpper(string(first))+lower[size:])
		slices.Sort(forms)
		forms = slices.Compact(forms)
	}
	var parts []string
	var args []any
	for _, form := range forms {
		parts = append(parts, column+` LIKE ? ESCAPE '!'`)
		args = append(args, "%"+likeEscape.Replace(form)+"%")
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

func likeMySQL(column, text string) (string, []any) {
	return column + ` COLLATE utf8mb4_general_ci LIKE ? ESCAPE '!'`, []any{"%" + likeEscape.Replace(text) + "%"}
}

// Export implements chat.Store.
func (s Chats) Export(ctx context.Context, user string, after int64, limit int) ([]chat.Message, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages x `+s.db.dialect.orderedJoin+` chat_members m
		ON m.chat_id = x.chat_id AND m.user_id = ? JOIN chats c ON c.id = x.chat_id
		JOIN users u ON u.id = m.user_id AND u.created_at = m.born`+messageAuthor+`
		WHERE x.id > ? AND `+visible+` ORDER BY x.id LIMIT ?`, user, after, limit)
	got, err := collect(rows, err, oneMessage)
	return got, s.failure("export messages", err)
}

// MayRead implements chat.Store.
func (s Chats) MayRead(ctx context.Context, user, file string) (bool, error) {
	var n int
	err := s.db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM messages x JOIN chat_members m ON m.chat_id = x.chat_id AND m.user_id = ?
		JOIN users u ON u.id = m.user_id AND u.created_at = m.born
		WHERE x.file = ? AND x.deleted_at = 0 AND `+visible, user, file).Scan(&n)
	return n > 0, s.failure("look for a file's message", err)
}

// FileUsed implements chat.Store.
func (s Chats) FileUsed(ctx context.Context, file string) (bool, error) {
	var n int
	err := s.db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM messages WHERE file = ? AND deleted_at = 0`, file).Scan(&n)
	return n > 0, s.failure("look for a file's messages", err)
}

// Sweep implements chat.Store.
func (s Chats) Sweep(ctx context.Context, before int64, limit int) (int, error) {
	gone := int64(0)
	err := s.db.inTx(ctx, func(tx *sql.Tx) error {
		// The subquery has a name of its own: MySQL deletes from no table that it reads.
		result, err := tx.ExecContext(ctx, `DELETE FROM messages WHERE id IN (SELECT id FROM
			(SELECT id FROM messages WHERE sent_at < ? ORDER BY sent_at LIMIT ?) AS old)`, before, limit)
		if err != nil {
			return err
		}
		gone, err = result.RowsAffected()
		return err
	})
	return int(gone), s.failure("delete old messages", err)
}
