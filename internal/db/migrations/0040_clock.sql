-- +goose Up
-- The ledger of time limits. A row of clock is where one limit stands; clock_entry is everything that ever happened to
-- it and is only added to. Amount, unit, phase and source are copied from the pack when the clock starts, so that no
-- later edit of a pack or calendar moves a due time that people were told. due_at is empty while a clock is paused, while
-- a year's holidays are not yet known (missing says which), and for a clock to which the pack knows no limit.

-- rehu:table clock tenant
CREATE TABLE clock (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    subject     TEXT NOT NULL,
    code        TEXT NOT NULL CHECK (code IN ('sign', 'first_contact', 'arrive', 'measure', 'feedback', 'retest', 'answer', 'resident', 'return_window', 'return_answer', 'connect')),
    party       TEXT NOT NULL CHECK (party IN ('unit', 'centre', 'resident')),
    org         TEXT NOT NULL,
    ref         TEXT NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount >= 0),
    unit        TEXT NOT NULL CHECK (unit IN ('', 'minute', 'hour', 'day', 'working_hour', 'working_day')),
    roll        BOOLEAN,
    phase       TEXT NOT NULL CHECK (phase IN ('', 'fill', 'trial', 'first_days', 'season', 'after', 'maintenance')),
    path        TEXT NOT NULL,
    source      TEXT NOT NULL,
    provisional BOOLEAN NOT NULL,
    started_at  BIGINT NOT NULL,
    from_at     BIGINT NOT NULL,
    left_ms     BIGINT NOT NULL CHECK (left_ms >= 0),
    due_at      BIGINT,
    missing     TEXT NOT NULL,
    stepped_at  BIGINT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'paused', 'stopped', 'void')),
    stopped_at  BIGINT,
    breached_at BIGINT,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX clock_subject ON clock (city_id, subject, id);
CREATE INDEX clock_running ON clock (city_id, due_at) WHERE state = 'running' AND due_at IS NOT NULL;
CREATE INDEX clock_missing ON clock (city_id, id) WHERE state = 'running' AND due_at IS NULL AND missing <> '';
CREATE INDEX clock_breached ON clock (city_id, breached_at) WHERE breached_at IS NOT NULL;

-- rehu:table clock_entry tenant
CREATE TABLE clock_entry (
    city_id  INTEGER NOT NULL,
    id       TEXT NOT NULL,
    clock_id TEXT NOT NULL,
    at       BIGINT NOT NULL,
    event    TEXT NOT NULL CHECK (event IN ('start', 'pause', 'resume', 'move', 'stop', 'breach', 'void', 'recompute', 'escalate')),
    due_at   BIGINT,
    detail   TEXT,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, clock_id) REFERENCES clock (city_id, id)
);
CREATE INDEX clock_entry_clock ON clock_entry (city_id, clock_id, id);

-- +goose Down
DROP TABLE clock_entry;
DROP TABLE clock;
