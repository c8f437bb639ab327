-- +goose Up
-- What people write about their heating outside (Weibo, forums, feeds), one row for each post and author. The words and
-- the writer stand sealed with the message; text is the masked copy. clue_key holds what near copies are found by: only
-- the first clue of a group has keys, so that a flood of copies does not grow the index.

-- rehu:table clue tenant
CREATE TABLE clue (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    channel     TEXT NOT NULL,
    account     TEXT NOT NULL,
    form        TEXT NOT NULL,
    at          BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    person      TEXT NOT NULL,
    sender      TEXT NOT NULL,
    text        TEXT NOT NULL,
    link        TEXT NOT NULL,
    guess       TEXT NOT NULL CHECK (guess IN ('heating', 'other', 'hearsay', 'advert')),
    category    TEXT NOT NULL,
    urgency     TEXT NOT NULL CHECK (urgency IN ('normal', 'urgent', 'critical')),
    rank        INTEGER NOT NULL,
    temperature INTEGER,
    care        TEXT NOT NULL,
    community   TEXT NOT NULL,
    place       TEXT NOT NULL,
    district    TEXT NOT NULL,
    company     TEXT NOT NULL,
    building    TEXT NOT NULL,
    unit        TEXT NOT NULL,
    room        TEXT NOT NULL,
    why         TEXT,
    group_id    TEXT NOT NULL,
    grouped     TEXT NOT NULL CHECK (grouped IN ('', 'repost', 'copy', 'author', 'place_hour')),
    copies      INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('new', 'confirmed', 'linked', 'not_heating', 'rumour', 'spam')),
    reason      TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    case_no     TEXT NOT NULL,
    decided_by  TEXT NOT NULL,
    decided_at  BIGINT,
    answered_at BIGINT,
    offered_at  BIGINT,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX clue_message ON clue (city_id, message_id);
CREATE INDEX clue_queue ON clue (city_id, state, rank, at, id);
CREATE INDEX clue_newest ON clue (city_id, id);
CREATE INDEX clue_group ON clue (city_id, group_id, id);
CREATE INDEX clue_person ON clue (city_id, person, at);
CREATE INDEX clue_community ON clue (city_id, community, at) WHERE community <> '';
CREATE INDEX clue_case ON clue (city_id, case_id) WHERE case_id <> '';

-- rehu:table clue_key tenant
CREATE TABLE clue_key (
    city_id INTEGER NOT NULL,
    band    BIGINT NOT NULL,
    clue_id TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (city_id, band, clue_id)
);
CREATE INDEX clue_key_at ON clue_key (city_id, at);

-- +goose Down
DROP TABLE clue_key;
DROP TABLE clue;
