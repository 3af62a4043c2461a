CREATE TABLE IF NOT EXISTS files (
    name       VARCHAR(64)  NOT NULL PRIMARY KEY,
    owner_id   VARCHAR(64)  NOT NULL COMMENT 'outlives the account',
    chat       VARCHAR(96)  NOT NULL COMMENT 'as the owner calls it',
    kind       VARCHAR(16)  NOT NULL,
    title      VARCHAR(255) NOT NULL,
    media_type VARCHAR(127) NOT NULL,
    size       BIGINT       NOT NULL COMMENT 'bytes',
    charge     BIGINT       NOT NULL COMMENT 'bytes, for quotas',
    sum        VARCHAR(64)  NOT NULL COMMENT 'SHA-256 in hex; empty: not known yet',
    shown      VARCHAR(64)  NOT NULL COMMENT 'media type to show it as; empty: only saved',
    state      TINYINT      NOT NULL COMMENT '0 partial, 1 complete, 2 gone',
    created_at BIGINT       NOT NULL COMMENT 'Unix milliseconds',
    expires_at BIGINT       NOT NULL COMMENT 'Unix milliseconds; of what is gone: remembered until then',
    INDEX files_owner (owner_id, state),
    INDEX files_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO counters (name, value) VALUES ('files', 0);
