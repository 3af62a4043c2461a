package sqlstore

import (
	"context"
	"fmt"
)

// Fill makes SQLite take the disk for full, at the pages that it has now, or no
// more.
func (db *DB) Fill(ctx context.Context, full bool) error {
	pages := 1 << 30
	if full {
		pages = 1 // less than there are counts as what there are
	}
	_, err := db.write.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages))
	return err
}

// Sound asks SQLite whether the database is whole.
func (db *DB) Sound(ctx context.Context) (string, error) {
	var verdict string
	err := db.write.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict)
	return verdict, err
}
