CREATE TABLE announcements (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT    NOT NULL UNIQUE,
    from_id   TEXT    NOT NULL,
    from_name TEXT    NOT NULL,
    body      TEXT    NOT NULL,
    tag       TEXT    NOT NULL, -- empty: for all
    attention INTEGER NOT NULL, -- 1: it was spoken
    made_at   INTEGER NOT NULL, -- Unix milliseconds
    ended_at  INTEGER NOT NULL DEFAULT 0 -- of an attention call; 0: it goes on
) STRICT;

CREATE TABLE announcement_audience (
    announcement INTEGER NOT NULL REFERENCES announcements (id) ON DELETE CASCADE,
    user_id      TEXT    NOT NULL,
    seen_at      INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds; 0: not yet
    PRIMARY KEY (announcement, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX announcement_audience_user ON announcement_audience (user_id, seen_at);
