CREATE TABLE IF NOT EXISTS people (
    user_id VARCHAR(64)   NOT NULL PRIMARY KEY,
    line    VARCHAR(320)  NOT NULL DEFAULT '',
    tags    VARCHAR(2000) NOT NULL DEFAULT '' COMMENT 'JSON array; empty: none',
    quiet   TINYINT       NOT NULL DEFAULT 0,
    picture VARCHAR(64)   NOT NULL DEFAULT '' COMMENT 'version; empty: none',
    gone_at BIGINT        NOT NULL DEFAULT 0 COMMENT 'Unix milliseconds; 0: not deleted',
    rev     BIGINT        NOT NULL DEFAULT 0 COMMENT 'grows with every change of anybody',
    INDEX people_rev (rev),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO people (user_id) SELECT id FROM users;

CREATE TABLE IF NOT EXISTS pictures (
    user_id VARCHAR(64) NOT NULL PRIMARY KEY,
    version VARCHAR(64) NOT NULL,
    jpeg    MEDIUMBLOB  NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS contacts (
    owner     VARCHAR(64) NOT NULL,
    other     VARCHAR(64) NOT NULL,
    favourite TINYINT     NOT NULL DEFAULT 0,
    blocked   TINYINT     NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, other),
    INDEX contacts_other (other),
    FOREIGN KEY (owner) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (other) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO counters (name, value) VALUES ('people', 0);
