-- +goose Up
-- WeChat: who writes to the city's accounts, what was pushed and how it was answered, the short dialogues that lead to a
-- case, consents to subscription messages (one row is one message), messages handed to WeChat and WeChat's reports on them.
-- openid, data and token are sealed; times that end in _ms are machine time.

-- rehu:table wechat_user tenant
CREATE TABLE wechat_user (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    app_id      TEXT NOT NULL,
    app         TEXT NOT NULL CHECK (app IN ('official', 'mini')),
    person      TEXT NOT NULL,
    openid      TEXT NOT NULL,
    resident    TEXT NOT NULL,
    follows     BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL,
    written_at  BIGINT,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX wechat_user_person ON wechat_user (city_id, person);
CREATE INDEX wechat_user_resident ON wechat_user (city_id, resident) WHERE resident <> '';

-- rehu:table wechat_push tenant
CREATE TABLE wechat_push (
    city_id     INTEGER NOT NULL,
    key         TEXT NOT NULL,
    proof       TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    reply       TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, key)
);
CREATE UNIQUE INDEX wechat_push_proof ON wechat_push (city_id, proof);
CREATE INDEX wechat_push_received ON wechat_push (city_id, received_at);

-- rehu:table wechat_dialogue tenant
CREATE TABLE wechat_dialogue (
    city_id    INTEGER NOT NULL,
    user_id    TEXT NOT NULL,
    step       TEXT NOT NULL CHECK (step IN ('address', 'phone', 'since', 'test', 'bind_phone', 'bind_code')),
    data       TEXT NOT NULL,
    touched_at BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, user_id)
);

-- rehu:table wechat_case tenant
CREATE TABLE wechat_case (
    city_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    token   TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (city_id, user_id, case_id)
);

-- rehu:table wechat_consent tenant
CREATE TABLE wechat_consent (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    template_id TEXT NOT NULL,
    tap         TEXT NOT NULL,
    given_at    BIGINT NOT NULL,
    spent_by    TEXT NOT NULL,
    spent_at    BIGINT,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX wechat_consent_tap ON wechat_consent (city_id, user_id, template_id, tap);
CREATE INDEX wechat_consent_open ON wechat_consent (city_id, user_id, template_id, id) WHERE spent_by = '';

-- rehu:table wechat_send tenant
CREATE TABLE wechat_send (
    city_id     INTEGER NOT NULL,
    key         TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    app_id      TEXT NOT NULL,
    template_id TEXT NOT NULL,
    consent_id  TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('trying', 'taken', 'refused')),
    message     TEXT NOT NULL,
    why         TEXT NOT NULL,
    tried_ms    BIGINT NOT NULL,
    attempts    INTEGER NOT NULL,
    created_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, key)
);
CREATE INDEX wechat_send_message ON wechat_send (city_id, app_id, message) WHERE message <> '';

-- rehu:table wechat_report tenant
CREATE TABLE wechat_report (
    city_id     INTEGER NOT NULL,
    app_id      TEXT NOT NULL,
    message     TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    template_id TEXT NOT NULL,
    delivered   BOOLEAN NOT NULL,
    why         TEXT NOT NULL,
    came_ms     BIGINT NOT NULL,
    claimed_by  TEXT NOT NULL,
    PRIMARY KEY (city_id, app_id, message)
);
CREATE INDEX wechat_report_free ON wechat_report (city_id, user_id, came_ms) WHERE claimed_by = '';

-- rehu:table wechat_token tenant
CREATE TABLE wechat_token (
    city_id     INTEGER NOT NULL,
    app_id      TEXT NOT NULL,
    token       TEXT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    lease_ms    BIGINT NOT NULL,
    forced_ms   BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, app_id)
);

-- rehu:table wechat_ticket tenant
CREATE TABLE wechat_ticket (
    city_id    INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    purpose    TEXT NOT NULL CHECK (purpose IN ('hall', 'bind')),
    expires_ms BIGINT NOT NULL,
    used_ms    BIGINT NOT NULL,
    PRIMARY KEY (city_id, hash)
);
CREATE INDEX wechat_ticket_expires ON wechat_ticket (city_id, expires_ms);

-- +goose Down
DROP TABLE wechat_ticket;
DROP TABLE wechat_token;
DROP TABLE wechat_report;
DROP TABLE wechat_send;
DROP TABLE wechat_consent;
DROP TABLE wechat_case;
DROP TABLE wechat_dialogue;
DROP TABLE wechat_push;
DROP TABLE wechat_user;
