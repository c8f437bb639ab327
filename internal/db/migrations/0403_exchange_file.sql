-- +goose Up
-- The files that a platform's messages name: what it said of each, and what became of fetching it. Once it is here and is
-- what was said, its bytes are an attachment of the ticket's case; until then, and where it is not, this row says why.

-- rehu:table exchange_file tenant
CREATE TABLE exchange_file (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    ticket_id  TEXT NOT NULL,
    message_id TEXT NOT NULL,
    n          INTEGER NOT NULL,
    platform   TEXT NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       BIGINT NOT NULL,
    sha256     TEXT NOT NULL,
    url        TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('wanted', 'kept', 'refused')),
    blob       TEXT NOT NULL,
    error      TEXT NOT NULL,
    tries      INTEGER NOT NULL,
    next_at    BIGINT,
    created_at BIGINT NOT NULL,
    done_at    BIGINT,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, ticket_id) REFERENCES exchange_ticket (city_id, id),
    FOREIGN KEY (city_id, message_id) REFERENCES exchange_message (city_id, id)
);
CREATE UNIQUE INDEX exchange_file_message ON exchange_file (city_id, message_id, n);
CREATE INDEX exchange_file_ticket ON exchange_file (city_id, ticket_id);
CREATE INDEX exchange_file_wanted ON exchange_file (city_id, next_at) WHERE state = 'wanted';

-- +goose Down
DROP TABLE exchange_file;
