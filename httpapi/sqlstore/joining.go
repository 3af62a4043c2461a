package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fieldphone/httpapi/account"
)

// Admit implements account.Store. The invite's row is locked from the first
// statement to the commit, so its uses are counted one by one.
func (a Accounts) Admit(ctx context.Context, admission account.Admission) error {
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		if admission.InviteHash != "" {
			err := mustAffect(tx.ExecContext(ctx,
				`UPDATE invites SET used = used + 1 WHERE code_hash = ? AND used < uses AND revoked = 0 AND expires_at > ?`,
				admission.InviteHash, admission.Now.UnixMilli()))
			if errors.Is(err, sql.ErrNoRows) {
				return account.ErrChanged
			}
			if err != nil {
				return err
			}
		}
		if admission.MaxGuests > 0 {
			var guests int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM guests WHERE expires_at > ?`,
				admission.Now.UnixMilli()).Scan(&guests); err != nil {
				return err
			}
			if guests >= admission.MaxGuests {
				return account.ErrFull
			}
		}
		if err := insertUser(ctx, tx, admission.User, admission.Hash); err != nil || admission.Session == nil {
			return err
		}
		return insertSession(ctx, tx, *admission.Session)
	})
	return a.failure("admit user", err)
}

// EndGuest implements account.Store.
func (a Accounts) EndGuest(ctx context.Context, id string, until time.Time) error {
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		err := mustAffect(tx.ExecContext(ctx, `UPDATE guests SET expires_at = ? WHERE user_id = ? AND expires_at > ?`,
			until.UnixMilli(), id, until.UnixMilli()))
		if errors.Is(err, sql.ErrNoRows) {
			return nil // no guest, or ended already
		}
		if err != nil {
			return err
		}
		return touchPerson(ctx, tx, id)
	})
	return a.failure("end guest", err)
}

func (a Accounts) deleted(doing string, result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, a.failure(doing, err)
	}
	n, err := result.RowsAffected()
	return n, a.failure(doing, err)
}

// HasAdmin implements account.Store.
func (a Accounts) HasAdmin(ctx context.Context) (bool, error) {
	var admins int
	err := a.db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE admin <> 0`).Scan(&admins)
	return admins > 0, a.failure("look for an administrator", err)
}

// MakeFirstAdmin implements account.Store.
func (a Accounts) MakeFirstAdmin(ctx context.Context, id string) (account.User, error) {
	var user account.User
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		if err := a.lockAdmins(ctx, tx); err != nil {
			return err
		}
		var admins int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM users WHERE admin <> 0`).Scan(&admins); err != nil {
			return err
		}
		if admins > 0 {
			return account.ErrChanged
		}
		if err := mustAffect(tx.ExecContext(ctx, `UPDATE users SET admin = 1 WHERE id = ?`, id)); err != nil {
			return err
		}
		err := touchPerson(ctx, tx, id)
		if err != nil {
			return err
		}
		user, err = scanUser(tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE id = ?`, id))
		return err
	})
	return user, a.failure("make administrator", err)
}
