CREATE TABLE IF NOT EXISTS users (
    id            VARCHAR(64)  NOT NULL PRIMARY KEY,
    name          VARCHAR(256) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    admin         TINYINT      NOT NULL,
    disabled      TINYINT      NOT NULL,
    created_at    BIGINT       NOT NULL COMMENT 'Unix milliseconds'
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id    VARCHAR(64) NOT NULL,
    expires_at BIGINT      NOT NULL COMMENT 'Unix milliseconds',
    ended_seq  BIGINT      NOT NULL DEFAULT 0 COMMENT '0: not ended',
    INDEX sessions_user (user_id),
    INDEX sessions_expiry (expires_at),
    INDEX sessions_ended (ended_seq),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS counters (
    name  VARCHAR(64) NOT NULL PRIMARY KEY,
    value BIGINT      NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO counters (name, value) VALUES ('session_end', 0);
