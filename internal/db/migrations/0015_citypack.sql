-- +goose Up
-- What a city decides about its own rules: values it approves, seasons it declares, holiday years it imports, modes it
-- switches. The acts themselves stand in the audit chain pack:CODE; these rows are the present state.

-- rehu:table pack_approval tenant
CREATE TABLE pack_approval (
    city_id      INTEGER NOT NULL,
    path         TEXT NOT NULL,
    value        TEXT NOT NULL,
    note         TEXT NOT NULL,
    person       TEXT NOT NULL,
    name         TEXT NOT NULL,
    at           BIGINT NOT NULL,
    withdrawn_at BIGINT,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, path)
);

-- county is empty for the whole city.
-- rehu:table season_declared tenant
CREATE TABLE season_declared (
    city_id  INTEGER NOT NULL,
    season   TEXT NOT NULL,
    county   TEXT NOT NULL,
    start_at BIGINT,
    end_at   BIGINT,
    document TEXT NOT NULL,
    person   TEXT NOT NULL,
    name     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    PRIMARY KEY (city_id, season, county)
);

-- rehu:table holiday_year tenant
CREATE TABLE holiday_year (
    city_id INTEGER NOT NULL,
    year    INTEGER NOT NULL,
    body    TEXT NOT NULL,
    source  TEXT NOT NULL,
    person  TEXT NOT NULL,
    name    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (city_id, year)
);

-- rehu:table city_switch tenant
CREATE TABLE city_switch (
    city_id INTEGER NOT NULL,
    name    TEXT NOT NULL CHECK (name IN ('peak')),
    is_on   BOOLEAN NOT NULL,
    reason  TEXT NOT NULL,
    person  TEXT NOT NULL,
    by_name TEXT NOT NULL,
    at      BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (city_id, name)
);

-- +goose Down
DROP TABLE city_switch;
DROP TABLE holiday_year;
DROP TABLE season_declared;
DROP TABLE pack_approval;
