-- +goose Up
-- A row for each line of the switch that was used: reports of a call at it and whoever logs in at it wait for each other here,
-- so that a call which rings while somebody logs in is theirs.
-- rehu:table call_line tenant
CREATE TABLE call_line (
    city_id   INTEGER NOT NULL,
    extension TEXT NOT NULL,
    writes    BIGINT NOT NULL,
    PRIMARY KEY (city_id, extension)
);

-- +goose Down
DROP TABLE call_line;
