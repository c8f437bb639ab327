-- +goose Up
-- Who works with the system: organisations, people, what they may do and where, sessions and API keys. People, sessions
-- and keys are local: a provincial user has several cities in scope. Their instants are machine time where they end
-- logins (session, login_attempt, api_key.used_at), business time elsewhere.

-- rehu:table organisation tenant
CREATE TABLE organisation (
    city_id    INTEGER NOT NULL,
    code       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('centre', 'company', 'district', 'inspectors', 'regulator', 'knowledge', 'partner', 'other')),
    name_zh    TEXT NOT NULL,
    name_en    TEXT NOT NULL,
    active     BOOLEAN NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, code)
);

-- city_id is the home city, in whose audit chain acts on the person stand; 0 is the installation itself.
-- rehu:table person local
CREATE TABLE person (
    id            TEXT NOT NULL PRIMARY KEY,
    city_id       INTEGER NOT NULL,
    login         TEXT NOT NULL,
    name          TEXT NOT NULL,
    org           TEXT NOT NULL,
    email         TEXT,
    oidc_subject  TEXT,
    password      TEXT NOT NULL,
    must_change   BOOLEAN NOT NULL,
    totp          TEXT NOT NULL,
    totp_on       BOOLEAN NOT NULL,
    totp_step     BIGINT NOT NULL,
    recovery      TEXT,
    active        BOOLEAN NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_login_at BIGINT
);
CREATE UNIQUE INDEX person_login ON person (login);
CREATE UNIQUE INDEX person_email ON person (email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX person_oidc ON person (oidc_subject) WHERE oidc_subject IS NOT NULL;
CREATE INDEX person_city ON person (city_id, login);

-- rehu:table person_grant local
CREATE TABLE person_grant (
    id         TEXT NOT NULL PRIMARY KEY,
    person_id  TEXT NOT NULL,
    city_id    INTEGER NOT NULL,
    role       TEXT NOT NULL,
    districts  TEXT,
    companies  TEXT,
    areas      TEXT,
    stations   TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX person_grant_person ON person_grant (person_id, id);
CREATE INDEX person_grant_city ON person_grant (city_id, person_id);

-- Only the hash of a token is kept. A pending session has proved the password and still owes the one-time code.
-- rehu:table session local
CREATE TABLE session (
    id         TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL,
    person_id  TEXT NOT NULL,
    pending    BOOLEAN NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE UNIQUE INDEX session_token ON session (token_hash);
CREATE INDEX session_person ON session (person_id, created_at);
CREATE INDEX session_expiry ON session (expires_at);

-- rehu:table api_key local
CREATE TABLE api_key (
    id          TEXT NOT NULL PRIMARY KEY,
    city_id     INTEGER NOT NULL,
    name        TEXT NOT NULL,
    org         TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    grants      TEXT,
    created_by  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT,
    used_at     BIGINT
);
CREATE INDEX api_key_city ON api_key (city_id, id);

-- Failed logins of an account or an address; the name is a keyed hash, since people type passwords into the wrong field.
-- rehu:table login_attempt local
CREATE TABLE login_attempt (
    name         TEXT NOT NULL PRIMARY KEY,
    failures     INTEGER NOT NULL,
    from_at      BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE login_attempt;
DROP TABLE api_key;
DROP TABLE session;
DROP TABLE person_grant;
DROP TABLE person;
DROP TABLE organisation;
