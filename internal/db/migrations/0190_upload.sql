-- +goose Up
-- A photograph on its way: a telephone in a stairwell sends it in pieces and goes on after the network was lost. Pieces are
-- kept until the form that names the upload is received, or a day passed.
-- rehu:table upload tenant
CREATE TABLE upload (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    by_id      TEXT NOT NULL,
    name       TEXT NOT NULL,
    size       BIGINT NOT NULL CHECK (size > 0),
    got        BIGINT NOT NULL CHECK (got >= 0 AND got <= size),
    sha256     TEXT NOT NULL,
    kept       JSONB,
    created_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX upload_touched ON upload (city_id, touched_at);

-- rehu:table upload_part tenant
CREATE TABLE upload_part (
    city_id   INTEGER NOT NULL,
    upload_id TEXT NOT NULL,
    at_byte   BIGINT NOT NULL,
    content   BYTEA NOT NULL,
    PRIMARY KEY (city_id, upload_id, at_byte),
    FOREIGN KEY (city_id, upload_id) REFERENCES upload (city_id, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE upload_part;
DROP TABLE upload;
