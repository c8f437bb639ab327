-- +goose Up
-- In-home measurement (入户测温). measure_record is everything that was said, agreed, read and signed about the temperature
-- of a home and is only ever added to: a correction is a row that names the one it stands for. measurement is where one
-- request stands, computed from its records; measure_appointment is when somebody comes. home is the household's account,
-- or its address where the register has no account; the audit chain of a home is "household:" and that word.

-- rehu:table measurement tenant
CREATE TABLE measurement (
    city_id        INTEGER NOT NULL,
    id             TEXT NOT NULL,
    no             TEXT NOT NULL,
    home           TEXT NOT NULL,
    account        TEXT NOT NULL,
    season         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('requested', 'absent', 'missed', 'refused', 'unsigned', 'failed', 'cured', 'conforming', 'withdrawn')),
    source         TEXT NOT NULL CHECK (source IN ('resident', 'seat', 'visit', 'company', 'authority', 'case')),
    case_id        TEXT NOT NULL,
    case_no        TEXT NOT NULL,
    company        TEXT NOT NULL,
    district       TEXT NOT NULL,
    area           TEXT NOT NULL,
    station        TEXT NOT NULL,
    community      TEXT NOT NULL,
    community_name TEXT NOT NULL,
    building       TEXT NOT NULL,
    unit           TEXT NOT NULL,
    room           TEXT NOT NULL,
    address        TEXT NOT NULL,
    worker         TEXT NOT NULL,
    testers        TEXT,
    agreed         INTEGER,
    contact_id     TEXT NOT NULL,
    contact_name   TEXT NOT NULL,
    contact_phone  TEXT NOT NULL,
    contact_sealed TEXT NOT NULL,
    reported_at    BIGINT,
    requested_at   BIGINT NOT NULL,
    due_at         BIGINT,
    promise        TEXT,
    appointed_from BIGINT,
    appointed_to   BIGINT,
    tested_at      BIGINT,
    result         TEXT,
    misses         INTEGER NOT NULL,
    conflict       BOOLEAN NOT NULL,
    created_by     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX measurement_no ON measurement (city_id, no);
CREATE INDEX measurement_home ON measurement (city_id, home, id);
CREATE INDEX measurement_case ON measurement (city_id, case_id) WHERE case_id <> '';
CREATE INDEX measurement_company ON measurement (city_id, company, id);
CREATE INDEX measurement_due ON measurement (city_id, due_at) WHERE state IN ('requested', 'absent', 'refused');

-- rehu:table measure_appointment tenant
CREATE TABLE measure_appointment (
    city_id        INTEGER NOT NULL,
    id             TEXT NOT NULL,
    measurement_id TEXT NOT NULL,
    company        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('proposed', 'agreed', 'declined', 'replaced', 'kept', 'missed', 'cancelled')),
    retest         BOOLEAN NOT NULL,
    from_at        BIGINT NOT NULL,
    to_at          BIGINT NOT NULL,
    how            TEXT NOT NULL CHECK (how IN ('', 'message', 'recording', 'page')),
    recording      TEXT NOT NULL,
    proposed_at    BIGINT NOT NULL,
    proposed_by    TEXT NOT NULL,
    answered_at    BIGINT,
    version        BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, measurement_id) REFERENCES measurement (city_id, id)
);
CREATE INDEX measure_appointment_of ON measure_appointment (city_id, measurement_id, id);
CREATE INDEX measure_appointment_day ON measure_appointment (city_id, company, from_at);

-- counted is false for a second, different version of a part of a visit: both are kept and shown, and until a correction
-- says which is true the first counts.
-- rehu:table measure_record tenant
CREATE TABLE measure_record (
    city_id        INTEGER NOT NULL,
    id             TEXT NOT NULL,
    home           TEXT NOT NULL,
    measurement_id TEXT NOT NULL,
    visit_id       TEXT NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('report', 'request', 'appointment', 'agreed', 'declined', 'arrival', 'readings', 'photo', 'signature', 'answer', 'missed', 'cure_claimed', 'cure_denied', 'cure_verified', 'invitation', 'lab_report', 'withdrawn')),
    part           TEXT NOT NULL,
    at             BIGINT NOT NULL,
    season         TEXT NOT NULL,
    recorded_at    BIGINT NOT NULL,
    party          TEXT NOT NULL CHECK (party IN ('company', 'authority', 'laboratory', 'grid_worker', 'resident', 'centre', 'program')),
    company        TEXT NOT NULL,
    by_id          TEXT NOT NULL,
    digest         TEXT NOT NULL,
    counted        BOOLEAN NOT NULL,
    corrects       TEXT NOT NULL,
    reason         TEXT NOT NULL,
    data           TEXT NOT NULL,
    seq            BIGINT NOT NULL,
    hash           TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX measure_record_home ON measure_record (city_id, home, at);
CREATE INDEX measure_record_measurement ON measure_record (city_id, measurement_id, at);
CREATE INDEX measure_record_visit ON measure_record (city_id, visit_id, id) WHERE visit_id <> '';
CREATE UNIQUE INDEX measure_record_part ON measure_record (city_id, visit_id, part, digest) WHERE visit_id <> '' AND corrects = '';
CREATE UNIQUE INDEX measure_record_corrects ON measure_record (city_id, corrects) WHERE corrects <> '';

-- Numbers that were taken for documents, one of each sort for a visit or an act.
-- rehu:table measure_document tenant
CREATE TABLE measure_document (
    city_id        INTEGER NOT NULL,
    id             TEXT NOT NULL,
    code           TEXT NOT NULL,
    no             TEXT NOT NULL,
    home           TEXT NOT NULL,
    measurement_id TEXT NOT NULL,
    matter         TEXT NOT NULL,
    made_at        BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX measure_document_no ON measure_document (city_id, code, no);
CREATE UNIQUE INDEX measure_document_matter ON measure_document (city_id, matter, code);
CREATE INDEX measure_document_home ON measure_document (city_id, home, made_at);

-- +goose Down
DROP TABLE measure_document;
DROP TABLE measure_record;
DROP TABLE measure_appointment;
DROP TABLE measurement;
