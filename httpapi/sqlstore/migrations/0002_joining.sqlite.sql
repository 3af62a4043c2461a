CREATE TABLE guests (
    user_id    TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL -- Unix milliseconds
) STRICT, WITHOUT ROWID;

CREATE INDEX guests_expiry ON guests (expires_at);

CREATE TABLE invites (
    id         TEXT    NOT NULL PRIMARY KEY,
    code_hash  TEXT    NOT NULL UNIQUE, -- SHA-256, hex
    created_by TEXT    REFERENCES users (id) ON DELETE SET NULL, -- NULL: the console
    created_at INTEGER NOT NULL, -- Unix milliseconds
    expires_at INTEGER NOT NULL, -- Unix milliseconds
    uses       INTEGER NOT NULL,
    used       INTEGER NOT NULL DEFAULT 0,
    revoked    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX invites_creator ON invites (created_by, created_at);

CREATE INDEX invites_expiry ON invites (expires_at);
