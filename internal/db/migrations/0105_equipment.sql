-- +goose Up
-- Measuring instruments of companies and of the authority, as their owners list them: what they are, when they were last
-- verified (检定) and until when that holds. A reading keeps a copy of this row, so that an instrument verified later makes
-- no earlier reading better, and one that has expired since makes none worse.

-- rehu:table equipment tenant
CREATE TABLE equipment (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    owner       TEXT NOT NULL,
    number      TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('thermometer', 'recorder', 'heat_meter', 'pressure_gauge')),
    model       TEXT NOT NULL,
    certificate TEXT NOT NULL,
    verifier    TEXT NOT NULL,
    verified_on TEXT,
    valid_until TEXT,
    state       TEXT NOT NULL CHECK (state IN ('in_use', 'sent', 'stopped', 'scrapped')),
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX equipment_number ON equipment (city_id, owner, number);
CREATE INDEX equipment_until ON equipment (city_id, valid_until, id);

-- +goose Down
DROP TABLE equipment;
