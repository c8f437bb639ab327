-- +goose Up
-- A case from the first word to the archive. text is the searchable copy with telephones and ID numbers masked; what was
-- really said, names and telephones are sealed under the caller's own key. company is empty until the case is dispatched;
-- proposed is what attribution says. seq sorts by day and number; due_sort is due_at, or the end of time without one.
-- rehu:table case_file tenant
CREATE TABLE case_file (
    city_id        INTEGER NOT NULL,
    id             TEXT NOT NULL,
    seq            BIGINT NOT NULL,
    no             TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('reported', 'accepted', 'confirming', 'filed', 'dispatched', 'signed', 'handling', 'returned', 'fed_back', 'verified', 'rework', 'to_close', 'postponed', 'parked', 'closed', 'archived', 'answered', 'rejected', 'withdrawn', 'terminated', 'void')),
    open           BOOLEAN NOT NULL,
    channel        TEXT NOT NULL,
    door           TEXT NOT NULL,
    ticket_no      TEXT NOT NULL,
    received_at    BIGINT NOT NULL,
    recorded_at    BIGINT NOT NULL,
    nature         TEXT NOT NULL,
    category       TEXT NOT NULL,
    kind           TEXT NOT NULL,
    urgency        TEXT NOT NULL CHECK (urgency IN ('normal', 'urgent', 'critical')),
    text           TEXT NOT NULL,
    said           TEXT NOT NULL,
    caller_id      TEXT NOT NULL,
    caller_name    TEXT NOT NULL,
    caller_phone   TEXT NOT NULL,
    caller_sealed  TEXT NOT NULL,
    caller_blind   TEXT NOT NULL,
    relation       TEXT NOT NULL,
    contact_id     TEXT NOT NULL,
    contact_name   TEXT NOT NULL,
    contact_phone  TEXT NOT NULL,
    contact_sealed TEXT NOT NULL,
    secret         BOOLEAN NOT NULL,
    scope          TEXT NOT NULL,
    account        TEXT NOT NULL,
    community      TEXT NOT NULL,
    community_name TEXT NOT NULL,
    building       TEXT NOT NULL,
    unit           TEXT NOT NULL,
    room           TEXT NOT NULL,
    address        TEXT NOT NULL,
    district       TEXT NOT NULL,
    area           TEXT NOT NULL,
    proposed       TEXT NOT NULL,
    company        TEXT NOT NULL,
    assisting      TEXT,
    station        TEXT NOT NULL,
    riser          TEXT NOT NULL,
    worker         TEXT NOT NULL,
    lng            DOUBLE PRECISION,
    lat            DOUBLE PRECISION,
    decision       TEXT NOT NULL,
    border         BOOLEAN NOT NULL,
    changed        BOOLEAN NOT NULL,
    attribution    TEXT,
    details        TEXT NOT NULL,
    missing        TEXT,
    test_at        BIGINT,
    peak           BOOLEAN NOT NULL,
    paper          BOOLEAN NOT NULL,
    outage         TEXT NOT NULL,
    dispatch       TEXT NOT NULL,
    dispatched_at  BIGINT,
    signed_at      BIGINT,
    arrived_at     BIGINT,
    fed_back_at    BIGINT,
    answer         TEXT NOT NULL,
    article        TEXT NOT NULL,
    closed_at      BIGINT,
    solved         TEXT NOT NULL CHECK (solved IN ('', 'yes', 'no', 'unreached')),
    satisfied      TEXT NOT NULL CHECK (satisfied IN ('', 'yes', 'no')),
    due_at         BIGINT,
    due_clock      TEXT NOT NULL,
    due_sort       BIGINT NOT NULL,
    late           BOOLEAN NOT NULL,
    urges          INTEGER NOT NULL,
    returns        INTEGER NOT NULL,
    reworks        INTEGER NOT NULL,
    round          INTEGER NOT NULL,
    reopens        INTEGER NOT NULL,
    extensions     INTEGER NOT NULL,
    untrue_visits  INTEGER NOT NULL,
    supervised     BOOLEAN NOT NULL,
    designated     BOOLEAN NOT NULL,
    linked         BOOLEAN NOT NULL,
    token          TEXT NOT NULL,
    search         TEXT NOT NULL,
    created_by     TEXT NOT NULL,
    updated_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX case_file_seq ON case_file (city_id, seq);
CREATE UNIQUE INDEX case_file_no ON case_file (city_id, no);
CREATE UNIQUE INDEX case_file_ticket ON case_file (city_id, channel, ticket_no) WHERE ticket_no <> '';
CREATE UNIQUE INDEX case_file_token ON case_file (city_id, token) WHERE token <> '';
CREATE INDEX case_file_due ON case_file (city_id, due_sort, seq) WHERE open;
CREATE INDEX case_file_open_status ON case_file (city_id, status, due_sort, seq) WHERE open;
CREATE INDEX case_file_open_company ON case_file (city_id, company, due_sort, seq) WHERE open;
CREATE INDEX case_file_status ON case_file (city_id, status, seq);
CREATE INDEX case_file_company ON case_file (city_id, company, seq);
CREATE INDEX case_file_district ON case_file (city_id, district, seq);
CREATE INDEX case_file_category ON case_file (city_id, category, seq);
CREATE INDEX case_file_caller ON case_file (city_id, caller_id, seq);
CREATE INDEX case_file_name ON case_file (city_id, caller_blind, seq) WHERE caller_blind <> '';
CREATE INDEX case_file_place ON case_file (city_id, community, building, seq);
CREATE INDEX case_file_account ON case_file (city_id, account, seq) WHERE account <> '';
CREATE INDEX case_file_received ON case_file (city_id, received_at, seq);
CREATE INDEX case_file_updated ON case_file (city_id, updated_at, seq);

-- Cases linked without being merged: each keeps its own answer. A link is undone, never deleted.
-- rehu:table case_link tenant
CREATE TABLE case_link (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    case_id    TEXT NOT NULL,
    other_id   TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('related', 'repeat', 'outage')),
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    undone_at  BIGINT,
    undone_by  TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX case_link_case ON case_link (city_id, case_id);
CREATE INDEX case_link_other ON case_link (city_id, other_id);
CREATE UNIQUE INDEX case_link_once ON case_link (city_id, case_id, other_id) WHERE undone_at IS NULL;

-- How many cases there are by day, unit, place, matter and status: each change adds a row, a job folds them together, and
-- the sum over all rows is always exact. Without it, counting a million cases would take longer than a page may.
-- rehu:table case_tally tenant
CREATE TABLE case_tally (
    city_id  INTEGER NOT NULL,
    id       TEXT NOT NULL,
    day      TEXT NOT NULL,
    status   TEXT NOT NULL,
    company  TEXT NOT NULL,
    district TEXT NOT NULL,
    category TEXT NOT NULL,
    n        BIGINT NOT NULL,
    folded   BOOLEAN NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX case_tally_key ON case_tally (city_id, status, company, district, category, day, n);
CREATE INDEX case_tally_loose ON case_tally (city_id, id) WHERE NOT folded;

-- +goose Down
DROP TABLE case_tally;
DROP TABLE case_link;
DROP TABLE case_file;
