-- +goose Up
-- What residents say of what was done for them. An outcome is one end of a unit's work that was asked about: a closing of a
-- case, or a call-back before it that heard "not solved". Each has its place in four rates (st_*): hit, miss, or why it is not
-- counted. A figure is the number of outcomes in such a place, so that every number is a list.

-- rehu:table callback_outcome tenant
CREATE TABLE callback_outcome (
    city_id       INTEGER NOT NULL,
    id            TEXT NOT NULL,
    case_id       TEXT NOT NULL,
    case_no       TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('closed', 'sent_back')),
    n             INTEGER NOT NULL,
    day           TEXT NOT NULL,
    at            BIGINT NOT NULL,
    company       TEXT NOT NULL,
    station       TEXT NOT NULL,
    area          TEXT NOT NULL,
    district      TEXT NOT NULL,
    category      TEXT NOT NULL,
    dispatch_id   TEXT NOT NULL,
    handled_by    TEXT NOT NULL,
    called_by     TEXT NOT NULL,
    handler_said  TEXT NOT NULL,
    response      TEXT NOT NULL CHECK (response IN ('in_time', 'late', 'no_limit')),
    called        TEXT NOT NULL CHECK (called IN ('', 'yes', 'no', 'unreached')),
    solved        TEXT NOT NULL CHECK (solved IN ('', 'yes', 'no', 'unreached')),
    satisfied     TEXT NOT NULL CHECK (satisfied IN ('', 'yes', 'no')),
    said_how      TEXT NOT NULL CHECK (said_how IN ('', 'phone', 'message', 'page', 'sample', 'reopened')),
    said_at       BIGINT,
    word          TEXT NOT NULL,
    rated_at      BIGINT,
    reopened_at   BIGINT,
    retest        TEXT NOT NULL CHECK (retest IN ('', 'offered', 'passed', 'failed', 'nobody_came')),
    rework        BOOLEAN NOT NULL,
    excused       TEXT NOT NULL CHECK (excused IN ('', 'user', 'misdirected', 'repeat', 'force', 'untrue')),
    excused_rates TEXT,
    st_response   TEXT NOT NULL,
    st_solved     TEXT NOT NULL,
    st_satisfied  TEXT NOT NULL,
    st_mismatch   TEXT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX callback_outcome_case ON callback_outcome (city_id, case_id, n);
CREATE INDEX callback_outcome_day ON callback_outcome (city_id, day, id);
CREATE INDEX callback_outcome_company ON callback_outcome (city_id, company, day, id);
CREATE INDEX callback_outcome_retest ON callback_outcome (city_id, id) WHERE retest = 'offered';

-- One draw for each day: from how many, how many, and the root of the city's log that the order was drawn with. Whoever knows
-- the root draws the same.
-- rehu:table callback_draw tenant
CREATE TABLE callback_draw (
    city_id  INTEGER NOT NULL,
    day      TEXT NOT NULL,
    percent  INTEGER NOT NULL,
    root     TEXT NOT NULL,
    log_size BIGINT NOT NULL,
    closings INTEGER NOT NULL,
    drawn    INTEGER NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (city_id, day)
);

-- rehu:table callback_sample tenant
CREATE TABLE callback_sample (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    outcome_id TEXT NOT NULL,
    day        TEXT NOT NULL,
    rank       INTEGER NOT NULL,
    of_n       INTEGER NOT NULL,
    score      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('drawn', 'answered', 'unreached')),
    solved     TEXT NOT NULL CHECK (solved IN ('', 'yes', 'no')),
    satisfied  TEXT NOT NULL CHECK (satisfied IN ('', 'yes', 'no')),
    word       TEXT NOT NULL,
    done_at    BIGINT,
    done_by    TEXT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, outcome_id) REFERENCES callback_outcome (city_id, id)
);
CREATE UNIQUE INDEX callback_sample_outcome ON callback_sample (city_id, outcome_id);
CREATE INDEX callback_sample_state ON callback_sample (city_id, state, id);

-- rehu:table callback_try tenant
CREATE TABLE callback_try (
    city_id   INTEGER NOT NULL,
    id        TEXT NOT NULL,
    sample_id TEXT NOT NULL,
    at        BIGINT NOT NULL,
    by_id     TEXT NOT NULL,
    by_name   TEXT NOT NULL,
    channel   TEXT NOT NULL CHECK (channel IN ('phone', 'message')),
    result    TEXT NOT NULL CHECK (result IN ('yes', 'no', 'unreached')),
    note      TEXT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, sample_id) REFERENCES callback_sample (city_id, id)
);
CREATE INDEX callback_try_sample ON callback_try (city_id, sample_id, id);

-- A company's appeal against how an outcome is counted in one rate.
-- rehu:table callback_appeal tenant
CREATE TABLE callback_appeal (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    outcome_id TEXT NOT NULL,
    day        TEXT NOT NULL,
    rate       TEXT NOT NULL CHECK (rate IN ('response', 'solved', 'satisfied', 'mismatch')),
    company    TEXT NOT NULL,
    reason     TEXT NOT NULL CHECK (reason IN ('user', 'misdirected', 'repeat', 'force', 'untrue')),
    words      TEXT NOT NULL,
    proof      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('asked', 'upheld', 'refused')),
    asked_at   BIGINT NOT NULL,
    asked_by   TEXT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT NOT NULL,
    note       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, outcome_id) REFERENCES callback_outcome (city_id, id)
);
CREATE UNIQUE INDEX callback_appeal_once ON callback_appeal (city_id, outcome_id, rate);
CREATE INDEX callback_appeal_state ON callback_appeal (city_id, state, day);

-- A period whose figures are fixed, edition by edition: the first is the freeze, every later one a correction with its reason.
-- rehu:table callback_period tenant
CREATE TABLE callback_period (
    city_id   INTEGER NOT NULL,
    id        TEXT NOT NULL,
    from_day  TEXT NOT NULL,
    to_day    TEXT NOT NULL,
    edition   INTEGER NOT NULL,
    reason    TEXT NOT NULL,
    frozen_at BIGINT NOT NULL,
    frozen_by TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX callback_period_edition ON callback_period (city_id, from_day, to_day, edition);

-- rehu:table callback_frozen tenant
CREATE TABLE callback_frozen (
    city_id      INTEGER NOT NULL,
    period_id    TEXT NOT NULL,
    outcome_id   TEXT NOT NULL,
    st_response  TEXT NOT NULL,
    st_solved    TEXT NOT NULL,
    st_satisfied TEXT NOT NULL,
    st_mismatch  TEXT NOT NULL,
    rework       BOOLEAN NOT NULL,
    PRIMARY KEY (city_id, period_id, outcome_id),
    FOREIGN KEY (city_id, period_id) REFERENCES callback_period (city_id, id)
);

-- +goose Down
DROP TABLE callback_frozen;
DROP TABLE callback_period;
DROP TABLE callback_appeal;
DROP TABLE callback_try;
DROP TABLE callback_sample;
DROP TABLE callback_draw;
DROP TABLE callback_outcome;
