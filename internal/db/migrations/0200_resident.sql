-- +goose Up
-- The residents' service hall: one-time codes, sessions, identities of other channels, and which home is whose. A telephone
-- is sealed for its person; counts and codes stand under keyed hashes, so that a copy of the database tells nobody's number
-- and no code. Codes, counts and sessions end by machine time, everything else is business time.

ALTER TABLE notice ADD COLUMN private TEXT NOT NULL DEFAULT '';
ALTER TABLE notice ADD COLUMN until_at BIGINT;

-- rehu:table resident tenant
CREATE TABLE resident (
    city_id    INTEGER NOT NULL,
    person     TEXT NOT NULL,
    phone      TEXT NOT NULL,
    lang       TEXT NOT NULL CHECK (lang IN ('zh', 'en')),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, person)
);

-- One live code for each telephone and purpose. sealed holds telephone and code until the message is written down.
-- rehu:table resident_code tenant
CREATE TABLE resident_code (
    city_id    INTEGER NOT NULL,
    phone      TEXT NOT NULL,
    purpose    TEXT NOT NULL CHECK (purpose IN ('enter', 'bind', 'help')),
    id         TEXT NOT NULL,
    ref        TEXT NOT NULL,
    code_hash  TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    lang       TEXT NOT NULL CHECK (lang IN ('zh', 'en')),
    tries      INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, phone, purpose)
);
CREATE UNIQUE INDEX resident_code_id ON resident_code (city_id, id);

-- How much a telephone, an address or the city asked for or guessed at; name is a keyed hash.
-- rehu:table resident_count tenant
CREATE TABLE resident_count (
    city_id  INTEGER NOT NULL,
    name     TEXT NOT NULL,
    n        INTEGER NOT NULL,
    from_at  BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,
    PRIMARY KEY (city_id, name)
);
CREATE INDEX resident_count_from ON resident_count (city_id, from_at);

-- rehu:table resident_session tenant
CREATE TABLE resident_session (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    token_hash  TEXT NOT NULL,
    before_hash TEXT NOT NULL,
    person      TEXT NOT NULL,
    door        TEXT NOT NULL CHECK (door IN ('code', 'wechat')),
    agent       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    rotated_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX resident_session_token ON resident_session (city_id, token_hash);
CREATE INDEX resident_session_before ON resident_session (city_id, before_hash) WHERE before_hash <> '';
CREATE INDEX resident_session_person ON resident_session (city_id, person);
CREATE INDEX resident_session_expiry ON resident_session (city_id, expires_at);

-- rehu:table resident_identity tenant
CREATE TABLE resident_identity (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    person     TEXT NOT NULL,
    channel    TEXT NOT NULL,
    external   TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX resident_identity_external ON resident_identity (city_id, channel, external) WHERE ended_at IS NULL;
CREATE INDEX resident_identity_person ON resident_identity (city_id, person);

-- Whose home is whose. A member lives there; a helper acts for a member with consent, until a day.
-- rehu:table resident_binding tenant
CREATE TABLE resident_binding (
    city_id      INTEGER NOT NULL,
    id           TEXT NOT NULL,
    person       TEXT NOT NULL,
    account      TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('member', 'helper')),
    scope        TEXT NOT NULL CHECK (scope IN ('read', 'act')),
    proof        TEXT NOT NULL CHECK (proof IN ('own_phone', 'last4', 'bill', 'holder_code', 'paper', 'consent', 'staff')),
    state        TEXT NOT NULL CHECK (state IN ('asked', 'held', 'refused', 'ended')),
    community    TEXT NOT NULL,
    building     TEXT NOT NULL,
    unit         TEXT NOT NULL,
    room         TEXT NOT NULL,
    district     TEXT NOT NULL,
    company      TEXT NOT NULL,
    words        TEXT NOT NULL,
    until_day    TEXT,
    given_by     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    asked_at     BIGINT NOT NULL,
    decided_at   BIGINT,
    decided_by   TEXT NOT NULL,
    ended_at     BIGINT,
    ended_by     TEXT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX resident_binding_person ON resident_binding (city_id, person, state);
CREATE INDEX resident_binding_account ON resident_binding (city_id, account, state);
CREATE INDEX resident_binding_state ON resident_binding (city_id, state, id);
CREATE UNIQUE INDEX resident_binding_held ON resident_binding (city_id, person, account) WHERE state = 'held';

-- +goose Down
DROP TABLE resident_binding;
DROP TABLE resident_identity;
DROP TABLE resident_session;
DROP TABLE resident_count;
DROP TABLE resident_code;
DROP TABLE resident;
ALTER TABLE notice DROP COLUMN until_at;
ALTER TABLE notice DROP COLUMN private;
