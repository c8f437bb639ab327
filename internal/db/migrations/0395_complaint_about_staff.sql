-- +goose Up
-- A complaint about staff names the unit and, where known, the person; it is kept from both and goes to the unit's
-- designated complaint handler or to the supervisors of the centre.
ALTER TABLE case_file ADD COLUMN about_org TEXT NOT NULL DEFAULT '';
ALTER TABLE case_file ADD COLUMN about_unit BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE case_file ADD COLUMN about_person TEXT NOT NULL DEFAULT '';
ALTER TABLE case_file ADD COLUMN about_to TEXT NOT NULL DEFAULT '';
ALTER TABLE case_file ADD COLUMN about_ref TEXT NOT NULL DEFAULT '';
CREATE INDEX case_file_about ON case_file (city_id, seq) WHERE about_org <> '';
DROP INDEX case_file_load;
CREATE INDEX case_file_load ON case_file (city_id, company, status, district, due_sort, supervised, open, about_org) WHERE open;

-- rehu:table complaint_handler tenant
CREATE TABLE complaint_handler (
    city_id     INTEGER NOT NULL,
    org         TEXT NOT NULL,
    person_id   TEXT NOT NULL, -- empty: none any more
    person_name TEXT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, org)
);

-- +goose Down
DROP TABLE complaint_handler;
DROP INDEX case_file_load;
CREATE INDEX case_file_load ON case_file (city_id, company, status, district, due_sort, supervised, open) WHERE open;
DROP INDEX case_file_about;
ALTER TABLE case_file DROP COLUMN about_ref;
ALTER TABLE case_file DROP COLUMN about_to;
ALTER TABLE case_file DROP COLUMN about_person;
ALTER TABLE case_file DROP COLUMN about_unit;
ALTER TABLE case_file DROP COLUMN about_org;
