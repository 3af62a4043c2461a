package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

type migration struct {
	version    int
	name       string
	statements []string
}

// migrationsFor gives the dialect's migrations in the order of their numbers.
func migrationsFor(dialect string) ([]migration, error) {
	entries, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var found []migration
	for _, entry := range entries {
		base := strings.TrimSuffix(entry.Name(), ".sql")
		name, only, _ := strings.Cut(base, ".")
		if only != "" && only != dialect {
			continue
		}
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number: %w", entry.Name(), err)
		}
		text, err := migrationFiles.ReadFile("migrations/" + entry.Name())
		if err != nil {
			return nil, err
		}
		found = append(found, migration{version: version, name: name, statements: splitStatements(string(text))})
	}
	slices.SortFunc(found, func(a, b migration) int { return cmp.Compare(a.version, b.version) })
	return found, nil
}

func splitStatements(text string) []string {
	var statements []string
	for part := range strings.SplitSeq(text+"\n", ";\n") {
		if part = strings.TrimSpace(part); part != "" {
			statements = append(statements, part)
		}
	}
	return statements
}

func (db *DB) migrate(ctx context.Context) error {
	migrations, err := migrationsFor(db.dialect.name)
	if err != nil {
		return err
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	unlock, err := db.dialect.lockSchema(ctx, conn)
	if err != nil {
		return err
	}
	defer unlock()
	current, err := schemaVersion(ctx, conn)
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if newest := migrations[len(migrations)-1].version; current > newest {
		return fmt.Errorf("the database is of version %d, made by a newer fieldphone; this one knows %d: use the newer one",
			current, newest)
	}
	for _, m := range migrations {
		if m.version <= current {
			continue
		}
		if err := m.apply(ctx, conn); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

func schemaVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	if _, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		version INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, applied_at BIGINT NOT NULL)`); err != nil {
		return 0, err
	}
	var version int
	err := conn.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_migrations`).Scan(&version)
	return version, err
}

// apply makes the change, unless another process was quicker.
func (m migration) apply(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var done int
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM schema_migrations WHERE version = ?`, m.version).Scan(&done)
	if err != nil || done > 0 {
		return err
	}
	for _, statement := range m.statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)`,
		m.version, m.name, time.Now().UnixMilli()); err != nil {
		return err
	}
	return tx.Commit()
}
