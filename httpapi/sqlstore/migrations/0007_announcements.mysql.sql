CREATE TABLE IF NOT EXISTS announcements (
    id        BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name      VARCHAR(64)  NOT NULL UNIQUE,
    from_id   VARCHAR(64)  NOT NULL,
    from_name VARCHAR(256) NOT NULL,
    body      TEXT         NOT NULL,
    tag       VARCHAR(255) NOT NULL COMMENT 'empty: for all',
    attention TINYINT      NOT NULL COMMENT '1: it was spoken',
    made_at   BIGINT       NOT NULL COMMENT 'Unix milliseconds',
    ended_at  BIGINT       NOT NULL DEFAULT 0 COMMENT 'of an attention call; 0: it goes on'
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS announcement_audience (
    announcement BIGINT      NOT NULL,
    user_id      VARCHAR(64) NOT NULL,
    seen_at      BIGINT      NOT NULL DEFAULT 0 COMMENT 'Unix milliseconds; 0: not yet',
    PRIMARY KEY (announcement, user_id),
    INDEX announcement_audience_user (user_id, seen_at),
    FOREIGN KEY (announcement) REFERENCES announcements (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
