-- +goose Up
-- Objections to measured temperatures and what was found (室温复核). paper is the document as it was issued and is never
-- changed; home is the household's account or address, whose audit chain the acts hang in.

-- rehu:table finding tenant
CREATE TABLE finding (
    city_id          INTEGER NOT NULL,
    id               TEXT NOT NULL,
    no               TEXT NOT NULL,
    measurement_id   TEXT NOT NULL,
    measurement_no   TEXT NOT NULL,
    home             TEXT NOT NULL,
    account          TEXT NOT NULL,
    season           TEXT NOT NULL,
    company          TEXT NOT NULL,
    district         TEXT NOT NULL,
    area             TEXT NOT NULL,
    station          TEXT NOT NULL,
    address          TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('filed', 'accepted', 'weighed', 'issued', 'mediated', 'ruled', 'rejected', 'withdrawn')),
    ground           TEXT NOT NULL CHECK (ground IN ('result', 'absent')),
    way              TEXT NOT NULL CHECK (way IN ('complaint', 'laboratory')),
    side             TEXT NOT NULL CHECK (side IN ('user', 'company')),
    text             TEXT NOT NULL,
    applicant_id     TEXT NOT NULL,
    applicant        TEXT NOT NULL,
    applicant_sealed TEXT NOT NULL,
    company_word     TEXT NOT NULL,
    company_word_at  BIGINT,
    asked_at         BIGINT,
    paper            TEXT,
    reason           TEXT NOT NULL,
    filed_at         BIGINT NOT NULL,
    due_at           BIGINT,
    promise          TEXT,
    late             BOOLEAN NOT NULL,
    decided_at       BIGINT,
    filed_by         TEXT NOT NULL,
    version          BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX finding_no ON finding (city_id, no);
CREATE UNIQUE INDEX finding_open ON finding (city_id, measurement_id) WHERE state IN ('filed', 'accepted', 'weighed');
CREATE INDEX finding_home ON finding (city_id, home, id);
CREATE INDEX finding_company ON finding (city_id, company, id);

-- +goose Down
DROP TABLE finding;
