-- +goose Up
-- Who serves where, since when and by which document, and what was learnt about it.

-- A version holds from its day until the next one's; without a day it holds from the beginning.
-- rehu:table territory_version tenant
CREATE TABLE territory_version (
    city_id    INTEGER NOT NULL,
    code       TEXT NOT NULL,
    from_day   TEXT,
    source     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (city_id, code)
);

-- geometry is a GeoJSON MultiPolygon in WGS84, NULL for an area by list.
-- rehu:table area tenant
CREATE TABLE area (
    city_id       INTEGER NOT NULL,
    row_key       TEXT NOT NULL,
    edition       BIGINT NOT NULL,
    until_edition BIGINT NOT NULL,
    row_sum       TEXT NOT NULL,
    version       TEXT NOT NULL,
    code          TEXT NOT NULL,
    name          TEXT NOT NULL,
    company       TEXT NOT NULL,
    station       TEXT NOT NULL,
    heat_source   TEXT NOT NULL,
    geometry      TEXT,
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX area_version ON area (city_id, version, code);

-- Which company and area a version names for a community; what it does not name it takes over from the version before.
-- rehu:table community_line tenant
CREATE TABLE community_line (
    city_id       INTEGER NOT NULL,
    row_key       TEXT NOT NULL,
    edition       BIGINT NOT NULL,
    until_edition BIGINT NOT NULL,
    row_sum       TEXT NOT NULL,
    version       TEXT NOT NULL,
    community     TEXT NOT NULL,
    company       TEXT NOT NULL,
    area          TEXT NOT NULL,
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX community_line_version ON community_line (city_id, version, community);

-- rehu:table building_line tenant
CREATE TABLE building_line (
    city_id       INTEGER NOT NULL,
    row_key       TEXT NOT NULL,
    edition       BIGINT NOT NULL,
    until_edition BIGINT NOT NULL,
    row_sum       TEXT NOT NULL,
    version       TEXT NOT NULL,
    community     TEXT NOT NULL,
    building      TEXT NOT NULL,
    company       TEXT NOT NULL,
    area          TEXT NOT NULL,
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX building_line_version ON building_line (city_id, version, community, building);

-- A dispatcher's decision, learnt: where every condition that is given holds, the company is meant.
-- rehu:table territory_rule tenant
CREATE TABLE territory_rule (
    city_id      INTEGER NOT NULL,
    id           TEXT NOT NULL,
    phrase       TEXT NOT NULL,
    community    TEXT NOT NULL,
    building     TEXT NOT NULL,
    road         TEXT NOT NULL,
    number       TEXT NOT NULL,
    company      TEXT NOT NULL,
    area         TEXT NOT NULL,
    note         TEXT NOT NULL,
    author       TEXT NOT NULL,
    author_name  TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    withdrawn_at BIGINT,
    withdrawn_by TEXT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);

-- Two communities that callers or seats confuse; a < b.
-- rehu:table confusable tenant
CREATE TABLE confusable (
    city_id    INTEGER NOT NULL,
    a          TEXT NOT NULL,
    b          TEXT NOT NULL,
    note       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (city_id, a, b)
);

-- rehu:table claim_round tenant
CREATE TABLE claim_round (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    season     TEXT NOT NULL,
    base       TEXT NOT NULL,
    deadline   BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('preparing', 'open', 'published')),
    published  TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX claim_round_season ON claim_round (city_id, season);

-- rehu:table claim tenant
CREATE TABLE claim (
    city_id    INTEGER NOT NULL,
    round      TEXT NOT NULL,
    community  TEXT NOT NULL,
    company    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (city_id, round, community, company),
    FOREIGN KEY (city_id, round) REFERENCES claim_round (city_id, id)
);

-- One line for each community of a round. base_company served last season; company is who is to serve.
-- rehu:table claim_line tenant
CREATE TABLE claim_line (
    city_id      INTEGER NOT NULL,
    round        TEXT NOT NULL,
    community    TEXT NOT NULL,
    name         TEXT NOT NULL,
    district     TEXT NOT NULL,
    base_company TEXT NOT NULL,
    base_area    TEXT NOT NULL,
    company      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('gap', 'overlap', 'handover', 'kept', 'agreed', 'decided')),
    claims       INTEGER NOT NULL,
    from_agreed  BIGINT,
    to_agreed    BIGINT,
    note         TEXT NOT NULL,
    decided_at   BIGINT,
    decided_by   TEXT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, round, community),
    FOREIGN KEY (city_id, round) REFERENCES claim_round (city_id, id)
);
CREATE INDEX claim_line_state ON claim_line (city_id, round, state, district, name, community);

-- +goose Down
DROP TABLE claim_line;
DROP TABLE claim;
DROP TABLE claim_round;
DROP TABLE confusable;
DROP TABLE territory_rule;
DROP TABLE building_line;
DROP TABLE community_line;
DROP TABLE area;
DROP TABLE territory_version;
