-- +goose Up
-- Messages to residents and staff, and the questions that a resident answers with one digit or one tap. A message is
-- written in the transaction of the act that causes it and sent by a job; matter makes it one per matter, whatever is
-- repeated. recipient is sealed for the person; text is what was said and never holds a name or a telephone.

-- rehu:table notice tenant
CREATE TABLE notice (
    city_id      INTEGER NOT NULL,
    id           TEXT NOT NULL,
    channel      TEXT NOT NULL CHECK (channel IN ('sms', 'wechat', 'email', 'console')),
    person       TEXT NOT NULL,
    recipient    TEXT NOT NULL,
    org          TEXT NOT NULL,
    role         TEXT NOT NULL,
    template     TEXT NOT NULL,
    params       TEXT,
    text         TEXT NOT NULL,
    lang         TEXT NOT NULL CHECK (lang IN ('zh', 'en')),
    subject      TEXT NOT NULL,
    matter       TEXT NOT NULL,
    quiet_exempt BOOLEAN NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'delivered', 'failed', 'held')),
    reason       TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    gateway_id   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    send_at      BIGINT NOT NULL,
    sent_at      BIGINT,
    delivered_at BIGINT,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX notice_matter ON notice (city_id, matter);
CREATE INDEX notice_subject ON notice (city_id, subject, id);
CREATE INDEX notice_state ON notice (city_id, state, id);
CREATE INDEX notice_console ON notice (city_id, role, id) WHERE role <> '';

-- rehu:table notice_question tenant
CREATE TABLE notice_question (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    notice_id   TEXT NOT NULL,
    ref         TEXT NOT NULL,
    person      TEXT NOT NULL,
    first_digit INTEGER NOT NULL CHECK (first_digit >= 1),
    answers     TEXT NOT NULL,
    asked_at    BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    answered_at BIGINT,
    answer      TEXT NOT NULL,
    door        TEXT NOT NULL CHECK (door IN ('', 'sms', 'link', 'withdrawn')),
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, notice_id) REFERENCES notice (city_id, id)
);
CREATE UNIQUE INDEX notice_question_notice ON notice_question (city_id, notice_id);
CREATE INDEX notice_question_open ON notice_question (city_id, person) WHERE answered_at IS NULL;
CREATE INDEX notice_question_ref ON notice_question (city_id, ref);

-- +goose Down
DROP TABLE notice_question;
DROP TABLE notice;
