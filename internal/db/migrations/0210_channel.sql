-- +goose Up
-- Words that residents say through a channel (WeChat, Weibo, mail, a feed), each kept once, and the answers that go back
-- the same way. sealed holds who wrote and what they wrote under the writer's own key; text is the masked copy.

-- rehu:table channel_account tenant
CREATE TABLE channel_account (
    city_id      INTEGER NOT NULL,
    channel      TEXT NOT NULL,
    name         TEXT NOT NULL,
    title        TEXT NOT NULL,
    credential   TEXT NOT NULL,
    settings     TEXT,
    enabled      BOOLEAN NOT NULL,
    cursor       TEXT NOT NULL,
    next_poll_at BIGINT,
    last_poll_at BIGINT,
    last_ok_at   BIGINT,
    last_in_at   BIGINT,
    last_error   TEXT NOT NULL,
    error_at     BIGINT,
    failures     INTEGER NOT NULL,
    lag_ms       BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, channel, name)
);

-- rehu:table channel_message tenant
CREATE TABLE channel_message (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    channel     TEXT NOT NULL,
    account     TEXT NOT NULL,
    external_id TEXT NOT NULL,
    form        TEXT NOT NULL CHECK (form IN ('post', 'mention', 'direct', 'letter', 'event')),
    at          BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    person      TEXT NOT NULL,
    sender      TEXT NOT NULL,
    text        TEXT NOT NULL,
    sealed      TEXT NOT NULL,
    link        TEXT NOT NULL,
    media       TEXT,
    lng         DOUBLE PRECISION,
    lat         DOUBLE PRECISION,
    extra       TEXT,
    raw_hash    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('received', 'taken', 'failed')),
    reason      TEXT NOT NULL,
    attempts    INTEGER NOT NULL,
    case_id     TEXT NOT NULL,
    clue_id     TEXT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX channel_message_once ON channel_message (city_id, channel, account, external_id);
CREATE INDEX channel_message_account ON channel_message (city_id, channel, account, received_at);
CREATE INDEX channel_message_person ON channel_message (city_id, person, id);
CREATE INDEX channel_message_clue ON channel_message (city_id, clue_id) WHERE clue_id <> '';
CREATE INDEX channel_message_case ON channel_message (city_id, case_id) WHERE case_id <> '';
CREATE INDEX channel_message_failed ON channel_message (city_id, id) WHERE state = 'failed';

-- rehu:table channel_reply tenant
CREATE TABLE channel_reply (
    city_id      INTEGER NOT NULL,
    id           TEXT NOT NULL,
    message_id   TEXT NOT NULL,
    channel      TEXT NOT NULL,
    account      TEXT NOT NULL,
    public       BOOLEAN NOT NULL,
    key          TEXT NOT NULL,
    text         TEXT NOT NULL,
    case_id      TEXT NOT NULL,
    clue_id      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'held')),
    reason       TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    unsure       BOOLEAN NOT NULL,
    gateway_id   TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_name TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    sent_at      BIGINT,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, message_id) REFERENCES channel_message (city_id, id)
);
CREATE UNIQUE INDEX channel_reply_once ON channel_reply (city_id, message_id, key);
CREATE INDEX channel_reply_account ON channel_reply (city_id, channel, account, created_at);
CREATE INDEX channel_reply_clue ON channel_reply (city_id, clue_id) WHERE clue_id <> '';
CREATE INDEX channel_reply_case ON channel_reply (city_id, case_id) WHERE case_id <> '';
CREATE INDEX channel_reply_waits ON channel_reply (city_id, id) WHERE state IN ('failed', 'held');

-- rehu:table channel_nonce tenant
CREATE TABLE channel_nonce (
    city_id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    nonce   TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, channel, account, nonce)
);
CREATE INDEX channel_nonce_seen ON channel_nonce (city_id, seen_at);

-- +goose Down
DROP TABLE channel_nonce;
DROP TABLE channel_reply;
DROP TABLE channel_message;
DROP TABLE channel_account;
