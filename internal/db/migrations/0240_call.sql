-- +goose Up
-- Telephone: what the switch reports of every call, the call that follows from its reports, the seats at the switch, what
-- was asked of the switch, who must be called back, and what the voice menu answered. Numbers are sealed for their person
-- and shown masked; blind finds the same number again. A call is only ever what its reports say, in whatever order they came.

-- rehu:table call_record tenant
CREATE TABLE call_record (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    ref         TEXT NOT NULL,
    direction   TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    state       TEXT NOT NULL CHECK (state IN ('arrived', 'queued', 'ringing', 'talking', 'held', 'transferred', 'over', 'lost')),
    line        TEXT NOT NULL,
    queue       TEXT NOT NULL,
    person      TEXT NOT NULL,
    sealed      TEXT NOT NULL,
    masked      TEXT NOT NULL,
    blind       TEXT NOT NULL,
    extension   TEXT NOT NULL,
    seat        TEXT NOT NULL,
    arrived_at  BIGINT NOT NULL,
    queued_at   BIGINT,
    rang_at     BIGINT,
    answered_at BIGINT,
    ended_at    BIGINT,
    wait_ms     BIGINT NOT NULL,
    talk_ms     BIGINT NOT NULL,
    parties     INTEGER NOT NULL,
    company     TEXT NOT NULL,
    moved_at    BIGINT,
    recording   TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('', 'case', 'answered', 'reminded', 'reopened', 'note')),
    note        TEXT NOT NULL,
    updated_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX call_record_ref ON call_record (city_id, ref);
CREATE INDEX call_record_arrived ON call_record (city_id, arrived_at);
CREATE INDEX call_record_live ON call_record (city_id, arrived_at) WHERE ended_at IS NULL;
CREATE INDEX call_record_updated ON call_record (city_id, updated_at);
CREATE INDEX call_record_blind ON call_record (city_id, blind, arrived_at) WHERE blind <> '';
CREATE INDEX call_record_case ON call_record (city_id, case_id) WHERE case_id <> '';

-- rehu:table call_report tenant
CREATE TABLE call_report (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    call_id     TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('queued', 'ringing', 'answered', 'held', 'resumed', 'transferred', 'conference_joined', 'conference_left', 'ended', 'abandoned', 'recording_ready')),
    extension   TEXT NOT NULL,
    seat        TEXT NOT NULL,
    command     TEXT NOT NULL,
    company     TEXT NOT NULL,
    recording   TEXT NOT NULL,
    sum         TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, call_id) REFERENCES call_record (city_id, id)
);
CREATE INDEX call_report_call ON call_report (city_id, call_id, seq);

-- rehu:table call_seat tenant
CREATE TABLE call_seat (
    city_id    INTEGER NOT NULL,
    person     TEXT NOT NULL,
    name       TEXT NOT NULL,
    extension  TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('offline', 'ready', 'busy', 'wrap', 'break')),
    reason     TEXT NOT NULL CHECK (reason IN ('', 'meal', 'rest', 'meeting', 'training', 'other')),
    since      BIGINT NOT NULL,
    call_id    TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, person)
);
CREATE UNIQUE INDEX call_seat_extension ON call_seat (city_id, extension) WHERE state <> 'offline';
CREATE INDEX call_seat_updated ON call_seat (city_id, updated_at);

-- rehu:table call_command tenant
CREATE TABLE call_command (
    city_id   INTEGER NOT NULL,
    id        TEXT NOT NULL,
    call_id   TEXT NOT NULL,
    verb      TEXT NOT NULL CHECK (verb IN ('answer', 'hold', 'resume', 'transfer', 'conference', 'hang_up', 'dial', 'set_state')),
    extension TEXT NOT NULL,
    company   TEXT NOT NULL,
    task      TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('asked', 'accepted', 'refused')),
    person    TEXT NOT NULL,
    name      TEXT NOT NULL,
    org       TEXT NOT NULL,
    asked_at  BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);

-- rehu:table call_back tenant
CREATE TABLE call_back (
    city_id   INTEGER NOT NULL,
    id        TEXT NOT NULL,
    person    TEXT NOT NULL,
    sealed    TEXT NOT NULL,
    masked    TEXT NOT NULL,
    blind     TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('waiting', 'calling', 'done', 'merged', 'unreached', 'dropped')),
    missed    INTEGER NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    tries     INTEGER NOT NULL,
    tried_at  BIGINT,
    taker     TEXT NOT NULL,
    taken_at  BIGINT,
    call_id   TEXT NOT NULL,
    case_id   TEXT NOT NULL,
    note      TEXT NOT NULL,
    closed_at BIGINT,
    version   BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX call_back_open ON call_back (city_id, blind) WHERE closed_at IS NULL;
CREATE INDEX call_back_first ON call_back (city_id, first_at);

-- rehu:table call_answer tenant
CREATE TABLE call_answer (
    city_id INTEGER NOT NULL,
    id      TEXT NOT NULL,
    ref     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('stop', 'planned', 'case', 'seat')),
    subject TEXT NOT NULL,
    lang    TEXT NOT NULL CHECK (lang IN ('zh', 'en')),
    PRIMARY KEY (city_id, id)
);
CREATE INDEX call_answer_at ON call_answer (city_id, at);
CREATE INDEX call_answer_ref ON call_answer (city_id, ref);

-- +goose Down
DROP TABLE call_answer;
DROP TABLE call_back;
DROP TABLE call_command;
DROP TABLE call_seat;
DROP TABLE call_report;
DROP TABLE call_record;
