-- +goose Up
-- Programs of other organisations that want to be told when something happens. A webhook belongs to an API key and is told
-- of what that key may see; webhook_delivery is the log of what was told. webhook_cursor is up to when the city's acts were
-- looked through.

-- rehu:table webhook tenant
CREATE TABLE webhook (
    city_id       INTEGER NOT NULL,
    id            TEXT NOT NULL,
    key_id        TEXT NOT NULL,
    org           TEXT NOT NULL,
    name          TEXT NOT NULL,
    url           TEXT NOT NULL,
    secret        TEXT NOT NULL,
    events        TEXT NOT NULL,
    active        BOOLEAN NOT NULL,
    why           TEXT NOT NULL,
    failing_since BIGINT,
    ok_at         BIGINT,
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX webhook_key ON webhook (city_id, key_id);

-- rehu:table webhook_delivery tenant
CREATE TABLE webhook_delivery (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    entry_id   TEXT NOT NULL,
    event      TEXT NOT NULL,
    subject    TEXT NOT NULL,
    happened   BIGINT NOT NULL,
    body       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'dead')),
    tries      INTEGER NOT NULL,
    next_at    BIGINT,
    status     INTEGER NOT NULL,
    error      TEXT NOT NULL,
    took_ms    INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    done_at    BIGINT,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, webhook_id) REFERENCES webhook (city_id, id)
);
CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (city_id, webhook_id, entry_id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (city_id, next_at) WHERE state = 'queued';
CREATE INDEX webhook_delivery_log ON webhook_delivery (city_id, webhook_id, id);

-- rehu:table webhook_cursor tenant
CREATE TABLE webhook_cursor (
    city_id INTEGER NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (city_id)
);

-- +goose Down
DROP TABLE webhook_cursor;
DROP TABLE webhook_delivery;
DROP TABLE webhook;
