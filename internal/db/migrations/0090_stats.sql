-- +goose Up
-- What the supervision page counts, by the day the cases came in. A job counts anew the days whose cases changed; whatever
-- must be true this minute is read from the cases themselves.
-- rehu:table stat_case tenant
CREATE TABLE stat_case (
    city_id     INTEGER NOT NULL,
    day         TEXT NOT NULL,
    company     TEXT NOT NULL,
    district    TEXT NOT NULL,
    category    TEXT NOT NULL,
    received    BIGINT NOT NULL,
    answered    BIGINT NOT NULL,
    refused     BIGINT NOT NULL,
    due         BIGINT NOT NULL,
    disposed    BIGINT NOT NULL,
    closed      BIGINT NOT NULL,
    late        BIGINT NOT NULL,
    late_open   BIGINT NOT NULL,
    reworked    BIGINT NOT NULL,
    reopened    BIGINT NOT NULL,
    extended    BIGINT NOT NULL,
    called      BIGINT NOT NULL,
    solved      BIGINT NOT NULL,
    satisfied   BIGINT NOT NULL,
    dispatches  BIGINT NOT NULL,
    misdirected BIGINT NOT NULL,
    PRIMARY KEY (city_id, day, company, district, category)
);

-- rehu:table stat_clock tenant
CREATE TABLE stat_clock (
    city_id  INTEGER NOT NULL,
    day      TEXT NOT NULL,
    company  TEXT NOT NULL,
    district TEXT NOT NULL,
    code     TEXT NOT NULL,
    decided  BIGINT NOT NULL,
    kept     BIGINT NOT NULL,
    running  BIGINT NOT NULL,
    PRIMARY KEY (city_id, day, company, district, code)
);

-- How far the counting has come: cases changed before upto are counted.
-- rehu:table stat_mark tenant
CREATE TABLE stat_mark (
    city_id INTEGER NOT NULL,
    upto    BIGINT NOT NULL,
    PRIMARY KEY (city_id)
);

-- Overdue and nearly late are counted by unit, place and status without reading the cases.
DROP INDEX case_file_due;
CREATE INDEX case_file_due ON case_file (city_id, due_sort, seq, company, district, status) WHERE open;

-- +goose Down
DROP INDEX case_file_due;
CREATE INDEX case_file_due ON case_file (city_id, due_sort, seq) WHERE open;
DROP TABLE stat_mark;
DROP TABLE stat_clock;
DROP TABLE stat_case;
