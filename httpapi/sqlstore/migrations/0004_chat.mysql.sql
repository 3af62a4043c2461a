CREATE TABLE IF NOT EXISTS chats (
    id         BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    chat_key   VARCHAR(160) NOT NULL COMMENT '#group, or two user ids with a / between',
    title      VARCHAR(256) NOT NULL DEFAULT '',
    created_by VARCHAR(64)  NOT NULL DEFAULT '' COMMENT 'of a group',
    created_at BIGINT       NOT NULL COMMENT 'Unix milliseconds',
    pos        BIGINT       NOT NULL DEFAULT 0 COMMENT 'the last given',
    rev        BIGINT       NOT NULL DEFAULT 0 COMMENT 'the last given',
    active_at  BIGINT       NOT NULL COMMENT 'Unix milliseconds, of the last message',
    UNIQUE INDEX chats_key (chat_key),
    INDEX chats_creator (created_by)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS chat_members (
    chat_id       BIGINT       NOT NULL,
    user_id       VARCHAR(64)  NOT NULL,
    born          BIGINT       NOT NULL COMMENT 'created_at of the account: a later one of the same id is another',
    name          VARCHAR(256) NOT NULL,
    admin         TINYINT      NOT NULL DEFAULT 0,
    joined_at     BIGINT       NOT NULL COMMENT 'Unix milliseconds',
    read_pos      BIGINT       NOT NULL DEFAULT 0,
    delivered_pos BIGINT       NOT NULL DEFAULT 0,
    left_at       BIGINT       NOT NULL DEFAULT 0 COMMENT 'Unix milliseconds; 0: a member',
    left_pos      BIGINT       NOT NULL DEFAULT 0,
    left_rev      BIGINT       NOT NULL DEFAULT 0,
    left_title    VARCHAR(256) NOT NULL DEFAULT '',
    PRIMARY KEY (chat_id, user_id),
    INDEX chat_members_user (user_id, born),
    FOREIGN KEY (chat_id) REFERENCES chats (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS messages (
    id         BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    chat_id    BIGINT      NOT NULL,
    pos        BIGINT      NOT NULL,
    rev        BIGINT      NOT NULL,
    name       VARCHAR(64) NOT NULL COMMENT 'chosen by the client',
    author     VARCHAR(64) NOT NULL,
    kind       VARCHAR(16) NOT NULL COMMENT 'text, call or note',
    body       TEXT        NOT NULL,
    sent_at    BIGINT      NOT NULL COMMENT 'Unix milliseconds',
    edited_at  BIGINT      NOT NULL DEFAULT 0,
    deleted_at BIGINT      NOT NULL DEFAULT 0,
    unread     TINYINT     NOT NULL COMMENT '1: counts until it is read',
    file       VARCHAR(64) NULL COMMENT 'its name; NULL: none',
    more       MEDIUMTEXT  NULL COMMENT 'JSON of the file, the call or the note; NULL: none',
    UNIQUE INDEX messages_pos (chat_id, pos),
    UNIQUE INDEX messages_rev (chat_id, rev),
    UNIQUE INDEX messages_name (chat_id, name),
    INDEX messages_sent (sent_at),
    INDEX messages_file (file),
    FOREIGN KEY (chat_id) REFERENCES chats (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS call_log (
    user_id    VARCHAR(64) NOT NULL,
    sent_at    BIGINT      NOT NULL COMMENT 'Unix milliseconds',
    message_id BIGINT      NOT NULL,
    PRIMARY KEY (user_id, sent_at, message_id),
    FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
