package sqlstore

import (
	"database/sql"
	"errors"
	"testing"
)

var errDeadlock = errors.New("deadlock")

// TestInTxRepeats: a transaction that the database broke off is made again,
// with nothing left of the tries before, and not for ever.
func TestInTxRepeats(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.dialect.classify = func(err error) failure {
		if errors.Is(err, errDeadlock) {
			return conflict
		}
		return classifySQLite(err)
	}
	other := errors.New("other")
	for name, test := range map[string]struct {
		results []error
		want    error
		value   int64
	}{
		"at once":       {[]error{nil}, nil, 1},
		"third try":     {[]error{errDeadlock, errDeadlock, nil}, nil, 1},
		"another error": {[]error{errDeadlock, other, nil}, other, 0},
		"again and again": {[]error{
			errDeadlock, errDeadlock, errDeadlock, errDeadlock, errDeadlock, errDeadlock, errDeadlock, errDeadlock, nil,
		}, errDeadlock, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := db.write.ExecContext(t.Context(), `UPDATE counters SET value = 0`); err != nil {
				t.Fatal(err)
			}
			try := 0
			err := db.inTx(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(t.Context(), `UPDATE counters SET value = value + 1`); err != nil {
					return err
				}
				try++
				return test.results[try-1]
			})
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			var value int64
			if err := db.read.QueryRowContext(t.Context(), `SELECT value FROM counters`).Scan(&value); err != nil {
				t.Fatal(err)
			}
			if value != test.value {
				t.Errorf("after %d tries the value is %d, want %d", try, value, test.value)
			}
		})
	}
}
