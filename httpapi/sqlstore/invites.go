package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"fieldphone/httpapi/account"
)

const inviteColumns = `id, COALESCE(created_by, ''), created_at, expires_at, uses, used, revoked`

// CreateInvite implements account.InviteStore. The creator's row is locked,
// so the creator's invites are counted one by one.
func (a Accounts) CreateInvite(ctx context.Context, invite account.Invite, hash string, mostOpen int) error {
	err := a.db.inTx(ctx, func(tx *sql.Tx) error {
		if invite.CreatedBy != "" {
			if err := a.mayAddInvite(ctx, tx, invite, mostOpen); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx,
			`INSERT INTO invites (id, code_hash, created_by, created_at, expires_at, uses, used, revoked) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			invite.ID, hash, sql.NullString{String: invite.CreatedBy, Valid: invite.CreatedBy != ""},
			invite.CreatedAt.UnixMilli(), invite.ExpiresAt.UnixMilli(), invite.Uses, invite.Used, invite.Revoked)
		return err
	})
	return a.failure("create invite", err)
}

func (a Accounts) mayAddInvite(ctx context.Context, tx *sql.Tx, invite account.Invite, mostOpen int) error {
	var hash string
	creator, err := a.lockUser(ctx, tx, invite.CreatedBy, &hash)
	if err != nil {
		return err
	}
	if creator.Disabled {
		return sql.ErrNoRows
	}
	var open int
	if err := tx.QueryRowContext(ctx,
		`SELECT COUNT(*) FROM invites WHERE created_by = ? AND revoked = 0 AND used < uses AND expires_at > ?`,
		invite.CreatedBy, invite.CreatedAt.UnixMilli()).Scan(&open); err != nil {
		return err
	}
	if open >= mostOpen {
		return account.ErrFull
	}
	return nil
}

// Invite implements account.InviteStore.
func (a Accounts) Invite(ctx context.Context, hash string) (account.Invite, error) {
	invite, err := scanInvite(a.db.read.QueryRowContext(ctx, `SELECT `+inviteColumns+` FROM invites WHERE code_hash = ?`, hash))
	return invite, a.failure("read invite", err)
}

// Invites implements account.InviteStore.
func (a Accounts) Invites(ctx context.Context, createdBy string, limit int) ([]account.Invite, error) {
	rows, err := a.db.read.QueryContext(ctx, `SELECT `+inviteColumns+` FROM invites
		WHERE created_by = ? OR ? = '' ORDER BY created_at DESC, id LIMIT ?`, createdBy, createdBy, limit)
	if err != nil {
		return nil, a.failure("list invites", err)
	}
	defer func() { _ = rows.Close() }()
	var invites []account.Invite
	for rows.Next() {
		invite, err := scanInvite(rows)
		if err != nil {
			return nil, a.failure("list invites", err)
		}
		invites = append(invites, invite)
	}
	return invites, a.failure("list invites", rows.Err())
}

// RevokeInvite implements account.InviteStore.
func (a Accounts) RevokeInvite(ctx context.Context, id, createdBy string) error {
	return a.failure("revoke invite", mustAffect(a.db.write.ExecContext(ctx,
		`UPDATE invites SET revoked = 1 WHERE id = ? AND (created_by = ? OR ? = '')`, id, createdBy, createdBy)))
}

// DeleteInvites implements account.InviteStore.
func (a Accounts) DeleteInvites(ctx context.Context, expiredBefore time.Time) (int64, error) {
	result, err := a.db.write.ExecContext(ctx, `DELETE FROM invites WHERE expires_at < ?`, expiredBefore.UnixMilli())
	return a.deleted("delete invites", result, err)
}

func scanInvite(row interface{ Scan(...any) error }) (account.Invite, error) {
	var i account.Invite
	var created, expires int64
	if err := row.Scan(&i.ID, &i.CreatedBy, &created, &expires, &i.Uses, &i.Used, &i.Revoked); err != nil {
		return account.Invite{}, err
	}
	i.CreatedAt, i.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
	return i, nil
}
