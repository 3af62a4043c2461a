CREATE TABLE chats (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_key   TEXT    NOT NULL UNIQUE, -- #group, or two user ids with a / between
    title      TEXT    NOT NULL DEFAULT '',
    created_by TEXT    NOT NULL DEFAULT '', -- of a group
    created_at INTEGER NOT NULL, -- Unix milliseconds
    pos        INTEGER NOT NULL DEFAULT 0, -- the last given
    rev        INTEGER NOT NULL DEFAULT 0, -- the last given
    active_at  INTEGER NOT NULL -- Unix milliseconds, of the last message
) STRICT;

CREATE INDEX chats_creator ON chats (created_by) WHERE created_by <> '';

-- A place in a chat outlives its account, whose name is then the one kept here.
CREATE TABLE chat_members (
    chat_id       INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    user_id       TEXT    NOT NULL,
    born          INTEGER NOT NULL, -- created_at of the account: a later one of the same id is another
    name          TEXT    NOT NULL,
    admin         INTEGER NOT NULL DEFAULT 0,
    joined_at     INTEGER NOT NULL, -- Unix milliseconds
    read_pos      INTEGER NOT NULL DEFAULT 0,
    delivered_pos INTEGER NOT NULL DEFAULT 0,
    left_at       INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds; 0: a member
    left_pos      INTEGER NOT NULL DEFAULT 0,
    left_rev      INTEGER NOT NULL DEFAULT 0,
    left_title    TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (chat_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_members_user ON chat_members (user_id, born);

CREATE TABLE messages (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id    INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    pos        INTEGER NOT NULL,
    rev        INTEGER NOT NULL,
    name       TEXT    NOT NULL, -- chosen by the client
    author     TEXT    NOT NULL,
    kind       TEXT    NOT NULL, -- text, call or note
    body       TEXT    NOT NULL,
    sent_at    INTEGER NOT NULL, -- Unix milliseconds
    edited_at  INTEGER NOT NULL DEFAULT 0,
    deleted_at INTEGER NOT NULL DEFAULT 0,
    unread     INTEGER NOT NULL, -- 1: counts until it is read
    file       TEXT, -- its name; NULL: none
    more       TEXT -- JSON of the file, the call or the note; NULL: none
) STRICT;

CREATE UNIQUE INDEX messages_pos ON messages (chat_id, pos);

CREATE UNIQUE INDEX messages_rev ON messages (chat_id, rev);

CREATE UNIQUE INDEX messages_name ON messages (chat_id, name);

CREATE INDEX messages_sent ON messages (sent_at);

CREATE INDEX messages_file ON messages (file) WHERE file IS NOT NULL;

CREATE TABLE call_log (
    user_id    TEXT    NOT NULL,
    sent_at    INTEGER NOT NULL, -- Unix milliseconds
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, sent_at, message_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_log_message ON call_log (message_id);
