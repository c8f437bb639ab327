-- +goose Up
-- What seats know and tell: articles with reviewed versions, who has read which, what was reported as wrong or missing,
-- and what was looked for in vain. A published version is never changed: cases keep which one they were answered with.

-- rehu:table article tenant
CREATE TABLE article (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    code       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('area', 'border', 'new_area', 'stop', 'law', 'fee', 'guide', 'script', 'duty', 'fault', 'ruling')),
    owner      TEXT NOT NULL,
    last_no    INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX article_code ON article (city_id, code) WHERE code <> '';

-- rehu:table article_version tenant
CREATE TABLE article_version (
    city_id      INTEGER NOT NULL,
    article_id   TEXT NOT NULL,
    no           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    title_zh     TEXT NOT NULL,
    title_en     TEXT NOT NULL,
    answer_zh    TEXT NOT NULL,
    answer_en    TEXT NOT NULL,
    hint_zh      TEXT NOT NULL,
    hint_en      TEXT NOT NULL,
    source       TEXT NOT NULL,
    words        TEXT NOT NULL,
    categories   TEXT,
    must_read    TEXT,
    search       TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('draft', 'review', 'published', 'withdrawn')),
    effective_at BIGINT,
    review_on    TEXT,
    author       TEXT NOT NULL,
    reviewer     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    decided_at   BIGINT,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, article_id, no),
    FOREIGN KEY (city_id, article_id) REFERENCES article (city_id, id)
);
CREATE INDEX article_version_state ON article_version (city_id, state, article_id);

-- rehu:table article_receipt tenant
CREATE TABLE article_receipt (
    city_id    INTEGER NOT NULL,
    article_id TEXT NOT NULL,
    no         INTEGER NOT NULL,
    person     TEXT NOT NULL,
    org        TEXT NOT NULL,
    read_at    BIGINT NOT NULL,
    PRIMARY KEY (city_id, article_id, no, person)
);

-- article_id is empty where something is missing altogether.
-- rehu:table article_flag tenant
CREATE TABLE article_flag (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    article_id TEXT NOT NULL,
    no         INTEGER NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('wrong', 'missing')),
    note       TEXT NOT NULL,
    person     TEXT NOT NULL,
    owner      TEXT NOT NULL,
    at         BIGINT NOT NULL,
    settled_at BIGINT,
    settled_by TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX article_flag_open ON article_flag (city_id, id) WHERE settled_at IS NULL;

-- rehu:table article_miss tenant
CREATE TABLE article_miss (
    city_id INTEGER NOT NULL,
    day     TEXT NOT NULL,
    query   TEXT NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (city_id, day, query)
);

-- +goose Down
DROP TABLE article_miss;
DROP TABLE article_flag;
DROP TABLE article_receipt;
DROP TABLE article_version;
DROP TABLE article;
