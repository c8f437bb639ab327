-- +goose Up
-- One text for everybody in a building, an estate, a station's reach or an area. Somebody writes it, somebody else lets it go
-- out, and a job tells every household once: after_account and stretch say how far it has come.

-- rehu:table bulletin tenant
CREATE TABLE bulletin (
    city_id       INTEGER NOT NULL,
    id            TEXT NOT NULL,
    no            TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('first_supply', 'filling', 'stop', 'fault', 'leak', 'advice')),
    text_zh       TEXT NOT NULL,
    text_en       TEXT NOT NULL,
    scope_kind    TEXT NOT NULL CHECK (scope_kind IN ('building', 'community', 'station', 'area')),
    scope_id      TEXT NOT NULL,
    scope_name    TEXT NOT NULL,
    stretches     TEXT NOT NULL,
    send          BOOLEAN NOT NULL,
    until_at      BIGINT NOT NULL,
    households    INTEGER NOT NULL,
    parts         INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'told', 'refused', 'withdrawn')),
    reason        TEXT NOT NULL,
    stretch       INTEGER NOT NULL,
    after_account TEXT NOT NULL,
    reached       INTEGER NOT NULL,
    unreached     INTEGER NOT NULL,
    written_by    TEXT NOT NULL,
    written_at    BIGINT NOT NULL,
    decided_by    TEXT NOT NULL,
    decided_at    BIGINT,
    told_at       BIGINT,
    version       BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX bulletin_no ON bulletin (city_id, no);
CREATE INDEX bulletin_live ON bulletin (city_id, until_at) WHERE state IN ('sending', 'told');

-- +goose Down
DROP TABLE bulletin;
