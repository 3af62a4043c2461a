CREATE TABLE admin_log (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    done_at    INTEGER NOT NULL, -- Unix milliseconds
    node       TEXT    NOT NULL,
    admin_id   TEXT    NOT NULL, -- empty: the console
    admin_name TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    was        TEXT, -- JSON object; NULL: cannot be undone
    became     TEXT, -- JSON object
    undone_by  INTEGER NOT NULL DEFAULT 0, -- 0: it was not
    undoes     INTEGER NOT NULL DEFAULT 0
) STRICT;
