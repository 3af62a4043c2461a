-- Up to when somebody has looked at the list of calls, on whichever device.
CREATE TABLE calls_seen (
    user_id TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    seen_at INTEGER NOT NULL -- Unix milliseconds
) STRICT, WITHOUT ROWID;
