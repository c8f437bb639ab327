-- +goose Up
-- One row for each unit that was told to act on a case. told_at is when the company knew, by whatever door; a wrong
-- dispatch ends with end_kind 'misdirected' and never counts against the unit.
-- rehu:table dispatch tenant
CREATE TABLE dispatch (
    city_id      INTEGER NOT NULL,
    id           TEXT NOT NULL,
    case_id      TEXT NOT NULL,
    company      TEXT NOT NULL,
    part         TEXT NOT NULL CHECK (part IN ('lead', 'assist')),
    way          TEXT NOT NULL CHECK (way IN ('auto', 'manual', 'designated', 'redispatch', 'reopened', 'phone_first')),
    reason       TEXT NOT NULL,
    told_at      BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    signed_at    BIGINT,
    signed_by    TEXT NOT NULL,
    signed_how   TEXT NOT NULL CHECK (signed_how IN ('', 'unit', 'by_phone', 'return_refused', 'binding')),
    recording    TEXT NOT NULL,
    order_no     TEXT NOT NULL,
    station      TEXT NOT NULL,
    crew         TEXT NOT NULL,
    worker       TEXT NOT NULL,
    assigned_at  BIGINT,
    taken_at     BIGINT,
    contacted_at BIGINT,
    arrived_at   BIGINT,
    fed_back_at  BIGINT,
    ended_at     BIGINT,
    end_kind     TEXT NOT NULL CHECK (end_kind IN ('', 'done', 'misdirected', 'replaced', 'void')),
    created_by   TEXT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX dispatch_case ON dispatch (city_id, case_id, id);
CREATE INDEX dispatch_open ON dispatch (city_id, company, delivered_at) WHERE ended_at IS NULL;
CREATE INDEX dispatch_assist ON dispatch (city_id, company, case_id) WHERE part = 'assist' AND ended_at IS NULL;
CREATE INDEX dispatch_misdirected ON dispatch (city_id, ended_at) WHERE end_kind = 'misdirected';

-- What was done about a case by whom: contact, appointment, visit, feedback, verification, call-back. A correction is a new row.
-- rehu:table case_act tenant
CREATE TABLE case_act (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    dispatch_id TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('contact', 'appointment', 'visit', 'feedback', 'verification', 'callback', 'answer')),
    at          BIGINT NOT NULL,
    company     TEXT NOT NULL,
    by_id       TEXT NOT NULL,
    result      TEXT NOT NULL,
    data        TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX case_act_case ON case_act (city_id, case_id, id);
CREATE INDEX case_act_kind ON case_act (city_id, kind, at);

-- What was asked for and how it was decided: return, extension, postponing, parking, appeal, dispute over responsibility,
-- supervision order. Who decides is never who asked.
-- rehu:table case_request tenant
CREATE TABLE case_request (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    no          TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    dispatch_id TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('return', 'extension', 'postpone', 'park', 'appeal', 'dispute', 'supervision')),
    state       TEXT NOT NULL CHECK (state IN ('open', 'replied', 'granted', 'refused')),
    company     TEXT NOT NULL,
    other       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    until       BIGINT,
    ref         TEXT NOT NULL,
    asked_at    BIGINT NOT NULL,
    asked_by    TEXT NOT NULL,
    reply       TEXT NOT NULL,
    replied_at  BIGINT,
    decided_at  BIGINT,
    decided_by  TEXT NOT NULL,
    note        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX case_request_case ON case_request (city_id, case_id, id);
CREATE INDEX case_request_open ON case_request (city_id, kind, asked_at) WHERE state IN ('open', 'replied');
CREATE UNIQUE INDEX case_request_once ON case_request (city_id, case_id, kind, ref) WHERE state IN ('open', 'replied');

-- +goose Down
DROP TABLE case_request;
DROP TABLE case_act;
DROP TABLE dispatch;
