-- +goose Up
-- the words of cases were rows of their own
DROP TABLE IF EXISTS case_gram;

-- Which cases hold a piece of one or two characters, packed: seqs are their numbers in rising order as differences, n how
-- many. One row covers ten days, so that adding a case rewrites little. n only grows and guards the row.
-- rehu:table case_posting tenant
CREATE TABLE case_posting (
    city_id INTEGER NOT NULL,
    gram    TEXT NOT NULL,
    part    BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    seqs    BYTEA NOT NULL,
    PRIMARY KEY (city_id, gram, part)
);

-- The cases whose words are not packed yet: a search reads their texts one by one. stamp is the version that was written.
-- rehu:table case_unindexed tenant
CREATE TABLE case_unindexed (
    city_id INTEGER NOT NULL,
    seq     BIGINT NOT NULL,
    stamp   BIGINT NOT NULL,
    PRIMARY KEY (city_id, seq)
);
INSERT INTO case_unindexed (city_id, seq, stamp) SELECT c.city_id, c.seq, c.version FROM case_file c WHERE c.city_id > 0;

-- What few cases have, newest first: each costs nothing where it does not hold.
CREATE INDEX case_file_open_seq ON case_file (city_id, seq) WHERE open;
CREATE INDEX case_file_missing ON case_file (city_id, seq) WHERE missing IS NOT NULL;
CREATE INDEX case_file_linked ON case_file (city_id, seq) WHERE linked;
CREATE INDEX case_file_supervised ON case_file (city_id, seq) WHERE supervised;
CREATE INDEX case_file_returned ON case_file (city_id, seq) WHERE returns > 0;
CREATE INDEX case_file_reopened ON case_file (city_id, seq) WHERE reopens > 0;
CREATE INDEX case_file_reworked ON case_file (city_id, seq) WHERE reworks > 0;
CREATE INDEX case_file_urged ON case_file (city_id, seq) WHERE urges > 0;
CREATE INDEX case_file_border ON case_file (city_id, seq) WHERE border;
CREATE INDEX case_file_changed ON case_file (city_id, seq) WHERE changed;
CREATE INDEX case_file_secret ON case_file (city_id, seq) WHERE secret;
CREATE INDEX case_file_outage ON case_file (city_id, seq) WHERE outage <> '';
CREATE INDEX case_file_peak ON case_file (city_id, seq) WHERE peak;
CREATE INDEX case_file_late ON case_file (city_id, received_at, seq) WHERE late;
CREATE INDEX case_file_worker ON case_file (city_id, worker, seq) WHERE worker <> '';
CREATE INDEX case_file_contact ON case_file (city_id, contact_id, seq) WHERE contact_id <> caller_id;
CREATE INDEX case_file_channel ON case_file (city_id, channel, seq) WHERE channel <> 'phone';
CREATE INDEX case_file_nature ON case_file (city_id, nature, seq) WHERE nature <> 'repair';
CREATE INDEX case_file_urgency ON case_file (city_id, urgency, seq) WHERE urgency <> 'normal';

-- +goose Down
DROP INDEX case_file_urgency;
DROP INDEX case_file_nature;
DROP INDEX case_file_channel;
DROP INDEX case_file_contact;
DROP INDEX case_file_worker;
DROP INDEX case_file_late;
DROP INDEX case_file_peak;
DROP INDEX case_file_outage;
DROP INDEX case_file_secret;
DROP INDEX case_file_changed;
DROP INDEX case_file_border;
DROP INDEX case_file_urged;
DROP INDEX case_file_reworked;
DROP INDEX case_file_reopened;
DROP INDEX case_file_returned;
DROP INDEX case_file_supervised;
DROP INDEX case_file_linked;
DROP INDEX case_file_missing;
DROP INDEX case_file_open_seq;
DROP TABLE case_unindexed;
DROP TABLE case_posting;
