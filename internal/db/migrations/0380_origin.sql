-- +goose Up
-- What stands behind a matter that somebody brought to the counter or wrote, that the press asks about, or that a leader's
-- instruction orders: its number and day, who sent it, by when it is to be answered. The deadline has a clock of its own in
-- the ledger; here stands what the paper says.
-- rehu:table case_origin tenant
CREATE TABLE case_origin (
    city_id        INTEGER NOT NULL,
    case_id        TEXT NOT NULL,
    channel        TEXT NOT NULL CHECK (channel IN ('counter', 'letter', 'leader', 'media')),
    no             TEXT NOT NULL,
    number_key     TEXT NOT NULL,
    dated          TEXT,
    source         TEXT NOT NULL,
    office         TEXT NOT NULL,
    text           TEXT NOT NULL,
    due_at         BIGINT,
    link           TEXT NOT NULL,
    answerer       TEXT NOT NULL,
    brought        TEXT NOT NULL,
    contact_id     TEXT NOT NULL,
    contact_name   TEXT NOT NULL,
    contact_phone  TEXT NOT NULL,
    contact_sealed TEXT NOT NULL,
    PRIMARY KEY (city_id, case_id)
);
-- One number of the register of letters or of instructions is one case in a year.
CREATE UNIQUE INDEX case_origin_number ON case_origin (city_id, number_key) WHERE number_key <> '';
CREATE INDEX case_origin_no ON case_origin (city_id, no) WHERE no <> '';

-- What went back: the report on an instruction to the office that sent it, the answer to a letter or to the press.
-- rehu:table case_reply tenant
CREATE TABLE case_reply (
    city_id INTEGER NOT NULL,
    id      TEXT NOT NULL,
    case_id TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('report', 'letter', 'press')),
    no      TEXT NOT NULL,
    to_whom TEXT NOT NULL,
    signer  TEXT NOT NULL,
    way     TEXT NOT NULL CHECK (way IN ('post', 'hand', 'official', 'mail', 'phone')),
    text    TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    kept_at BIGINT NOT NULL,
    by_id   TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX case_reply_case ON case_reply (city_id, case_id, id);

ALTER TABLE case_file ADD COLUMN doc_no TEXT NOT NULL DEFAULT '';
ALTER TABLE case_file ADD COLUMN doc_due_at BIGINT;
ALTER TABLE case_file ADD COLUMN report_due BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX case_file_doc_due ON case_file (city_id, doc_due_at, seq) WHERE doc_due_at IS NOT NULL;
CREATE INDEX case_file_report_due ON case_file (city_id, seq) WHERE report_due;

-- +goose Down
DROP INDEX case_file_report_due;
DROP INDEX case_file_doc_due;
ALTER TABLE case_file DROP COLUMN report_due;
ALTER TABLE case_file DROP COLUMN doc_due_at;
ALTER TABLE case_file DROP COLUMN doc_no;
DROP TABLE case_reply;
DROP TABLE case_origin;
