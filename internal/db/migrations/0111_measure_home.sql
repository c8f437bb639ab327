-- +goose Up
-- One row for each home that was ever measured. Whoever writes about a home counts it up first, so that two of them come one
-- after the other and the second sees what the first has written.

-- rehu:table measure_home tenant
CREATE TABLE measure_home (
    city_id INTEGER NOT NULL,
    home    TEXT NOT NULL,
    writes  BIGINT NOT NULL,
    PRIMARY KEY (city_id, home)
);

-- +goose Down
DROP TABLE measure_home;
