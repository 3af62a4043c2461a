CREATE TABLE IF NOT EXISTS admin_log (
    id         BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    done_at    BIGINT       NOT NULL COMMENT 'Unix milliseconds',
    node       VARCHAR(255) NOT NULL,
    admin_id   VARCHAR(64)  NOT NULL COMMENT 'empty: the console',
    admin_name VARCHAR(256) NOT NULL,
    action     VARCHAR(64)  NOT NULL,
    target     VARCHAR(255) NOT NULL,
    was        MEDIUMTEXT   NULL COMMENT 'JSON object; NULL: cannot be undone',
    became     MEDIUMTEXT   NULL COMMENT 'JSON object',
    undone_by  BIGINT       NOT NULL DEFAULT 0 COMMENT '0: it was not',
    undoes     BIGINT       NOT NULL DEFAULT 0
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
