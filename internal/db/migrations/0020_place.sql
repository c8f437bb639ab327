-- +goose Up
-- Where heat goes: companies, places and households as the companies' and the city's lists name them. A table with the
-- columns edition and until_edition holds several states side by side: a row is seen while
-- edition <= register.edition < until_edition. An import writes rows of the next edition in small batches and makes them
-- visible all at once by raising register.edition. 9007199254740991 in until_edition: not replaced yet.

-- run is the import under way, empty for none; beat moves while its process lives.
-- rehu:table register tenant
CREATE TABLE register (
    city_id    INTEGER NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('companies', 'areas', 'communities', 'buildings', 'households', 'duty')),
    edition    BIGINT NOT NULL,
    run        TEXT NOT NULL,
    owner      TEXT NOT NULL,
    beat       BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, kind)
);

-- rehu:table import_run tenant
CREATE TABLE import_run (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    version    TEXT NOT NULL,
    edition    BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('staging', 'applying', 'published', 'failed')),
    staged     BIGINT NOT NULL,
    applied    BIGINT NOT NULL,
    added      BIGINT NOT NULL,
    changed    BIGINT NOT NULL,
    unchanged  BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    started_by TEXT NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX import_run_kind ON import_run (city_id, kind, id);

-- What a file says, without its content: row_sum is a keyed hash, since a plain one of a telephone can be guessed.
-- rehu:table import_row tenant
CREATE TABLE import_row (
    city_id INTEGER NOT NULL,
    run     TEXT NOT NULL,
    target  TEXT NOT NULL,
    row_no  BIGINT NOT NULL,
    row_key TEXT NOT NULL,
    row_sum TEXT NOT NULL,
    PRIMARY KEY (city_id, run, target, row_no)
);
CREATE INDEX import_row_key ON import_row (city_id, run, target, row_key);

-- rehu:table district tenant
CREATE TABLE district (
    city_id    INTEGER NOT NULL,
    code       TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, code)
);
CREATE UNIQUE INDEX district_name ON district (city_id, name);

-- rehu:table street tenant
CREATE TABLE street (
    city_id    INTEGER NOT NULL,
    code       TEXT NOT NULL,
    district   TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, code)
);
CREATE UNIQUE INDEX street_name ON street (city_id, district, name);

-- Heat exchange stations, named by the lists of communities, areas and duty, described by hand.
-- rehu:table station tenant
CREATE TABLE station (
    city_id    INTEGER NOT NULL,
    code       TEXT NOT NULL,
    name       TEXT NOT NULL,
    company    TEXT NOT NULL,
    address    TEXT NOT NULL,
    lng        DOUBLE PRECISION,
    lat        DOUBLE PRECISION,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, code)
);

-- Loops and pressure zones of a station.
-- rehu:table loop tenant
CREATE TABLE loop (
    city_id    INTEGER NOT NULL,
    station    TEXT NOT NULL,
    code       TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, station, code)
);

-- rehu:table company tenant
CREATE TABLE company (
    city_id       INTEGER NOT NULL,
    row_key       TEXT NOT NULL,
    edition       BIGINT NOT NULL,
    until_edition BIGINT NOT NULL,
    row_sum       TEXT NOT NULL,
    code          TEXT NOT NULL,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('company', 'housing_centre', 'own_boiler')),
    phone         TEXT NOT NULL,
    licence       TEXT NOT NULL,
    licence_until TEXT,
    PRIMARY KEY (city_id, row_key, edition)
);

-- rehu:table community tenant
CREATE TABLE community (
    city_id        INTEGER NOT NULL,
    row_key        TEXT NOT NULL,
    edition        BIGINT NOT NULL,
    until_edition  BIGINT NOT NULL,
    row_sum        TEXT NOT NULL,
    id             TEXT NOT NULL,
    name           TEXT NOT NULL,
    aliases        TEXT,
    district       TEXT NOT NULL,
    street         TEXT NOT NULL,
    address        TEXT NOT NULL,
    lng            DOUBLE PRECISION,
    lat            DOUBLE PRECISION,
    management     TEXT NOT NULL CHECK (management IN ('', 'direct', 'resold', 'own_station')),
    property       TEXT NOT NULL,
    developer      TEXT NOT NULL,
    warranty_until TEXT,
    station        TEXT NOT NULL,
    zones          TEXT,
    connected      BOOLEAN NOT NULL,
    not_served     TEXT NOT NULL CHECK (not_served IN ('', 'not_connected', 'own_heating', 'stopped')),
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX community_id ON community (city_id, id);
CREATE INDEX community_name ON community (city_id, name, id);

-- rehu:table building tenant
CREATE TABLE building (
    city_id       INTEGER NOT NULL,
    row_key       TEXT NOT NULL,
    edition       BIGINT NOT NULL,
    until_edition BIGINT NOT NULL,
    row_sum       TEXT NOT NULL,
    community     TEXT NOT NULL,
    no            TEXT NOT NULL,
    lng           DOUBLE PRECISION,
    lat           DOUBLE PRECISION,
    station       TEXT NOT NULL,
    zone          TEXT NOT NULL,
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX building_community ON building (city_id, community);

-- holder and phone are sealed with the person's key; person is found by telephone through the blind index.
-- rehu:table household tenant
CREATE TABLE household (
    city_id       INTEGER NOT NULL,
    row_key       TEXT NOT NULL,
    edition       BIGINT NOT NULL,
    until_edition BIGINT NOT NULL,
    row_sum       TEXT NOT NULL,
    account       TEXT NOT NULL,
    community     TEXT NOT NULL,
    building      TEXT NOT NULL,
    unit          TEXT NOT NULL,
    room          TEXT NOT NULL,
    floor         INTEGER,
    person        TEXT NOT NULL,
    holder        TEXT NOT NULL,
    phone         TEXT NOT NULL,
    area_m2       TEXT NOT NULL,
    use_type      TEXT NOT NULL,
    price_class   TEXT NOT NULL,
    heat_status   TEXT NOT NULL CHECK (heat_status IN ('', 'on', 'suspended', 'arrears', 'not_opened', 'waiting_valve')),
    paid          TEXT NOT NULL CHECK (paid IN ('', 'yes', 'no', 'part')),
    station       TEXT NOT NULL,
    zone          TEXT NOT NULL,
    riser         TEXT NOT NULL,
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX household_building ON household (city_id, community, building, unit, room);
CREATE INDEX household_person ON household (city_id, person) WHERE person <> '';

-- Who answers at a company or station during a shift: people at work, known by name to the centre.
-- rehu:table duty tenant
CREATE TABLE duty (
    city_id       INTEGER NOT NULL,
    row_key       TEXT NOT NULL,
    edition       BIGINT NOT NULL,
    until_edition BIGINT NOT NULL,
    row_sum       TEXT NOT NULL,
    company       TEXT NOT NULL,
    station       TEXT NOT NULL,
    from_at       BIGINT NOT NULL,
    to_at         BIGINT,
    name          TEXT NOT NULL,
    phone         TEXT NOT NULL,
    backup        TEXT NOT NULL,
    leader        TEXT NOT NULL,
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX duty_shift ON duty (city_id, company, station, from_at);

-- +goose Down
DROP TABLE duty;
DROP TABLE household;
DROP TABLE building;
DROP TABLE community;
DROP TABLE company;
DROP TABLE loop;
DROP TABLE station;
DROP TABLE street;
DROP TABLE district;
DROP TABLE import_row;
DROP TABLE import_run;
DROP TABLE register;
