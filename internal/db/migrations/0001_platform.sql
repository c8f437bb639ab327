-- +goose Up
-- The tables the platform itself stands on. Each table says after "rehu:table" whether it is tenant (keyed by city),
-- reference (small, the same for every city) or local (one coordinator, no foreign keys); a test reads these lines.

-- rehu:table city reference
CREATE TABLE city (
    city_id    INTEGER NOT NULL PRIMARY KEY,
    name_zh    TEXT NOT NULL,
    name_en    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- rehu:table counter tenant
CREATE TABLE counter (
    city_id INTEGER NOT NULL,
    name    TEXT NOT NULL,
    value   BIGINT NOT NULL,
    PRIMARY KEY (city_id, name)
);

-- rehu:table generation local
CREATE TABLE generation (
    city_id INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    value   BIGINT NOT NULL,
    PRIMARY KEY (city_id, kind)
);

-- rehu:table once_key tenant
CREATE TABLE once_key (
    city_id    INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    key        TEXT NOT NULL,
    hash       TEXT NOT NULL,
    result     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, actor, key)
);
CREATE INDEX once_key_expiry ON once_key (city_id, expires_at);

-- One entry for each act, chained per subject (case:ID, person:ID, pack:…). body is canonical JSON (RFC 8785); hash is
-- SHA-256 over prev and body. The timeline of a case is the entries of its subject.
-- rehu:table entry tenant
CREATE TABLE entry (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    subject    TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    act        TEXT NOT NULL,
    actor      TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    org        TEXT NOT NULL,
    door       TEXT NOT NULL,
    public     BOOLEAN NOT NULL,
    body       TEXT NOT NULL,
    prev       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX entry_chain ON entry (city_id, subject, seq);

-- rehu:table chain_head tenant
CREATE TABLE chain_head (
    city_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    hash    TEXT NOT NULL,
    PRIMARY KEY (city_id, subject)
);

-- The Merkle log over chain heads (one leaf for each batch of heads); hashes are stored as golang.org/x/mod/sumdb/tlog numbers them.
-- rehu:table log_hash tenant
CREATE TABLE log_hash (
    city_id INTEGER NOT NULL,
    idx     BIGINT NOT NULL,
    hash    TEXT NOT NULL,
    PRIMARY KEY (city_id, idx)
);

-- rehu:table log_leaf tenant
CREATE TABLE log_leaf (
    city_id INTEGER NOT NULL,
    idx     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (city_id, idx)
);

-- A person whose data are kept: a key of their own, wrapped by the installation's keyring. Erasure empties wrapped_key.
-- rehu:table data_subject tenant
CREATE TABLE data_subject (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    blind       TEXT NOT NULL,
    wrapped_key TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    erased_at   BIGINT,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX data_subject_blind ON data_subject (city_id, blind);

-- rehu:table job local
CREATE TABLE job (
    id          TEXT NOT NULL PRIMARY KEY,
    city_id     INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    args        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    unique_key  TEXT,
    run_at      BIGINT NOT NULL,
    attempt     INTEGER NOT NULL,
    max_attempt INTEGER NOT NULL,
    lease_until BIGINT,
    worker      TEXT,
    last_error  TEXT,
    created_at  BIGINT NOT NULL,
    done_at     BIGINT
);
CREATE INDEX job_ready ON job (run_at, id) WHERE state = 'waiting';
CREATE INDEX job_leased ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_kind ON job (city_id, state, kind, id);
CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running');

-- rehu:table periodic local
CREATE TABLE periodic (
    kind     TEXT NOT NULL PRIMARY KEY,
    next_at  BIGINT NOT NULL
);

-- Deleting a row that is not there makes a distributed PostgreSQL commit a job and its business row in two phases.
-- rehu:table tx_guard tenant
CREATE TABLE tx_guard (
    city_id INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    PRIMARY KEY (city_id, id)
);

-- rehu:table blob tenant
CREATE TABLE blob (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    subject    TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    received   TEXT NOT NULL,
    public     BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX blob_subject ON blob (city_id, subject);

-- +goose Down
DROP TABLE blob;
DROP TABLE tx_guard;
DROP TABLE periodic;
DROP TABLE job;
DROP TABLE data_subject;
DROP TABLE log_leaf;
DROP TABLE log_hash;
DROP TABLE chain_head;
DROP TABLE entry;
DROP TABLE once_key;
DROP TABLE generation;
DROP TABLE counter;
DROP TABLE city;
