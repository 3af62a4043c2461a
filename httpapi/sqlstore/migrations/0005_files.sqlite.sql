CREATE TABLE files (
    name       TEXT    NOT NULL PRIMARY KEY,
    owner_id   TEXT    NOT NULL, -- outlives the account
    chat       TEXT    NOT NULL, -- as the owner calls it
    kind       TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    size       INTEGER NOT NULL, -- bytes
    charge     INTEGER NOT NULL, -- bytes, for quotas
    sum        TEXT    NOT NULL, -- SHA-256 in hex; empty: not known yet
    shown      TEXT    NOT NULL, -- media type to show it as; empty: only saved
    state      INTEGER NOT NULL, -- 0 partial, 1 complete, 2 gone
    created_at INTEGER NOT NULL, -- Unix milliseconds
    expires_at INTEGER NOT NULL  -- Unix milliseconds; of what is gone: remembered until then
) STRICT, WITHOUT ROWID;

CREATE INDEX files_owner ON files (owner_id, state);

CREATE INDEX files_expiry ON files (expires_at);

INSERT INTO counters (name, value) VALUES ('files', 0);
