CREATE TABLE IF NOT EXISTS guests (
    user_id    VARCHAR(64) NOT NULL PRIMARY KEY,
    expires_at BIGINT      NOT NULL COMMENT 'Unix milliseconds',
    INDEX guests_expiry (expires_at),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS invites (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    code_hash  VARCHAR(64) NOT NULL COMMENT 'SHA-256, hex',
    created_by VARCHAR(64) NULL COMMENT 'NULL: the console',
    created_at BIGINT      NOT NULL COMMENT 'Unix milliseconds',
    expires_at BIGINT      NOT NULL COMMENT 'Unix milliseconds',
    uses       INT         NOT NULL,
    used       INT         NOT NULL DEFAULT 0,
    revoked    TINYINT     NOT NULL DEFAULT 0,
    UNIQUE INDEX invites_code (code_hash),
    INDEX invites_creator (created_by, created_at),
    INDEX invites_expiry (expires_at),
    FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
