-- +goose Up
-- What the last import said about another hotline's ticket, cell by cell as keyed hashes: the next one changes only what
-- differs from it, so that what people corrected here in between stays.

-- rehu:table case_ticket tenant
CREATE TABLE case_ticket (
    city_id   INTEGER NOT NULL,
    channel   TEXT NOT NULL,
    ticket_no TEXT NOT NULL,
    cells     TEXT NOT NULL,
    PRIMARY KEY (city_id, channel, ticket_no)
);

-- +goose Down
DROP TABLE case_ticket;
