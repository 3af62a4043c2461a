package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"fieldphone/httpapi/sqlstore"
	"fieldphone/rtc/chat"
)

// What a list and a page may take with 5,000 chats and 1,000,000 messages in
// one: run with -bench Chats -benchtime 100x. The seed takes half a minute.
func BenchmarkChats(b *testing.B) {
	dir := b.TempDir()
	db, err := sqlstore.Open(b.Context(), sqlstore.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	seedChats(b, dir)
	service := chat.New(chat.Config{Now: time.Now}, db.Chats())
	ctx := b.Context()
	for name, do := range map[string]func() (int, error){
		"list": func() (int, error) {
			entries, _, err := service.Chats(ctx, "anna", 0, 100)
			return len(entries), err
		},
		"newest page": func() (int, error) {
			got, _, err := service.Messages(ctx, "anna", "p00001", 0, 50)
			return len(got), err
		},
		"page in the middle": func() (int, error) {
			got, _, err := service.Messages(ctx, "anna", "p00001", 500_000, 50)
			return len(got), err
		},
		"changes": func() (int, error) {
			got, _, _, err := service.Changes(ctx, "anna", "p00001", 999_900, 200)
			return len(got), err
		},
		"search, found": func() (int, error) {
			got, _, err := service.Search(ctx, "anna", "999", "", 0, 50)
			return len(got), err
		},
		"search, one in a million": func() (int, error) {
			got, _, err := service.Search(ctx, "anna", "number 4711 ", "", 0, 50)
			return len(got), err
		},
		"may read": func() (int, error) {
			_, err := service.MayRead(ctx, "anna", "file-none")
			return 1, err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if n, err := do(); err != nil || n == 0 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func seedChats(b *testing.B, dir string) {
	conn := execSQL(b, dir)
	exec := func(statement string) {
		if _, err := conn.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	count := func(n int) string {
		return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, n)
	}
	exec(`INSERT INTO users (id, name, password_hash, admin, disabled, created_at) VALUES ('anna', 'Anna', '', 0, 0, 1)`)
	exec(count(5000) + ` INSERT INTO users (id, name, password_hash, admin, disabled, created_at)
		SELECT printf('p%05d', i), 'Person', '', 0, 0, 1 FROM n`)
	exec(count(5000) + ` INSERT INTO chats (id, chat_key, created_at, pos, rev, active_at)
		SELECT i, printf('anna/p%05d', i), 1, 20, 20, i FROM n`)
	exec(count(5000) + ` INSERT INTO chat_members (chat_id, user_id, born, name, joined_at) SELECT i, 'anna', 1, 'Anna', 1 FROM n`)
	exec(count(5000) + ` INSERT INTO chat_members (chat_id, user_id, born, name, joined_at) SELECT i, printf('p%05d', i), 1, 'Person', 1 FROM n`)
	exec(count(5000) + ` INSERT INTO messages (chat_id, pos, rev, name, author, kind, body, sent_at, unread)
		SELECT c.i, p.i, p.i, 'message-' || p.i, printf('p%05d', c.i), 'text', 'something to read', c.i, 1
		FROM n c, n p WHERE c.i > 1 AND p.i <= 20`)
	exec(count(1_000_000) + ` INSERT INTO messages (chat_id, pos, rev, name, author, kind, body, sent_at, unread)
		SELECT 1, i, i, 'message-' || i, 'p00001', 'text', 'this is number ' || i || ' of very many', 10000 + i, 1 FROM n`)
	exec(`UPDATE chats SET pos = 1000000, rev = 1000000, active_at = 1010000 WHERE id = 1`)
}
