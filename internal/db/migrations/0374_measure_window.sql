-- +goose Up
-- How many homes a company can measure in a part of a day (测温可约户数): of an area or of the whole company, on a day, on a day of
-- the week (1 Monday to 7 Sunday) or on every day; the most exact row holds, and where none does nobody counts. measure_offer
-- carries the version of all numbers of a company; a row of measure_calendar lets one writer after the other at the windows
-- of a company's day.

-- rehu:table measure_capacity tenant
CREATE TABLE measure_capacity (
    city_id    INTEGER NOT NULL,
    company    TEXT NOT NULL,
    area       TEXT NOT NULL,
    day        TEXT NOT NULL,
    weekday    INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 7),
    part       TEXT NOT NULL CHECK (part IN ('am', 'pm', 'eve')),
    places     INTEGER NOT NULL CHECK (places >= 0),
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, company, area, day, weekday, part),
    CHECK (day = '' OR weekday = 0)
);

-- rehu:table measure_offer tenant
CREATE TABLE measure_offer (
    city_id INTEGER NOT NULL,
    company TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (city_id, company)
);

-- rehu:table measure_calendar tenant
CREATE TABLE measure_calendar (
    city_id INTEGER NOT NULL,
    company TEXT NOT NULL,
    day     TEXT NOT NULL,
    writes  BIGINT NOT NULL,
    PRIMARY KEY (city_id, company, day)
);

-- +goose Down
DROP TABLE measure_calendar;
DROP TABLE measure_offer;
DROP TABLE measure_capacity;
