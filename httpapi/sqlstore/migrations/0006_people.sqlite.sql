-- One row for each user, made with it.
CREATE TABLE people (
    user_id TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    line    TEXT    NOT NULL DEFAULT '',
    tags    TEXT    NOT NULL DEFAULT '', -- JSON array; empty: none
    quiet   INTEGER NOT NULL DEFAULT 0,
    picture TEXT    NOT NULL DEFAULT '', -- version; empty: none
    gone_at INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds; 0: not deleted
    rev     INTEGER NOT NULL DEFAULT 0 -- grows with every change of anybody
) STRICT, WITHOUT ROWID;

CREATE INDEX people_rev ON people (rev);

INSERT INTO people (user_id) SELECT id FROM users;

CREATE TABLE pictures (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    jpeg    BLOB NOT NULL
) STRICT;

CREATE TABLE contacts (
    owner     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    other     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    favourite INTEGER NOT NULL DEFAULT 0,
    blocked   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX contacts_other ON contacts (other);

INSERT INTO counters (name, value) VALUES ('people', 0);
