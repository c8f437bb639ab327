-- +goose Up
-- Stops of heat that companies report, planned or sudden: where, why, since when and until when, what was said about them
-- and which cases belong to them. late and telling say whether the people were told in time; they are facts, nothing is
-- refused for them.

-- rehu:table outage tenant
CREATE TABLE outage (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    no          TEXT NOT NULL,
    company     TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('planned', 'sudden')),
    reason      TEXT NOT NULL,
    start_at    BIGINT NOT NULL,
    until_at    BIGINT,
    first_until BIGINT,
    state       TEXT NOT NULL CHECK (state IN ('reported', 'announced', 'repairing', 'restored', 'lifted', 'cancelled')),
    households  INTEGER,
    telling     TEXT,
    late        BOOLEAN NOT NULL,
    reported_at BIGINT NOT NULL,
    announced_at BIGINT,
    restored_at BIGINT,
    ended_at    BIGINT,
    word_at     BIGINT NOT NULL,
    reporter    TEXT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX outage_no ON outage (city_id, no);
CREATE INDEX outage_live ON outage (city_id, start_at) WHERE ended_at IS NULL;
CREATE INDEX outage_company ON outage (city_id, company, id);

-- rehu:table outage_scope tenant
CREATE TABLE outage_scope (
    city_id   INTEGER NOT NULL,
    outage_id TEXT NOT NULL,
    n         INTEGER NOT NULL,
    station   TEXT NOT NULL,
    zone      TEXT NOT NULL,
    community TEXT NOT NULL,
    name      TEXT NOT NULL,
    building  TEXT NOT NULL,
    district  TEXT NOT NULL,
    PRIMARY KEY (city_id, outage_id, n),
    FOREIGN KEY (city_id, outage_id) REFERENCES outage (city_id, id)
);

-- rehu:table outage_word tenant
CREATE TABLE outage_word (
    city_id   INTEGER NOT NULL,
    id        TEXT NOT NULL,
    outage_id TEXT NOT NULL,
    event     TEXT NOT NULL,
    at        BIGINT NOT NULL,
    text      TEXT NOT NULL,
    until_at  BIGINT,
    person    TEXT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, outage_id) REFERENCES outage (city_id, id)
);
CREATE INDEX outage_word_outage ON outage_word (city_id, outage_id, id);

-- rehu:table outage_case tenant
CREATE TABLE outage_case (
    city_id   INTEGER NOT NULL,
    outage_id TEXT NOT NULL,
    case_id   TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    linked_by TEXT NOT NULL,
    PRIMARY KEY (city_id, outage_id, case_id),
    FOREIGN KEY (city_id, outage_id) REFERENCES outage (city_id, id)
);
CREATE INDEX outage_case_case ON outage_case (city_id, case_id);

-- +goose Down
DROP TABLE outage_case;
DROP TABLE outage_word;
DROP TABLE outage_scope;
DROP TABLE outage;
