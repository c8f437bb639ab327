-- +goose Up
-- What households owe for a season's heat and what they paid. Bills come as lists in editions, like households; their lock
-- is a table of its own because the list was added later than those that the table register names.

-- run is the import under way, empty for none; beat moves while its process lives.
-- rehu:table fee_register tenant
CREATE TABLE fee_register (
    city_id    INTEGER NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('fees')),
    edition    BIGINT NOT NULL,
    run        TEXT NOT NULL,
    owner      TEXT NOT NULL,
    beat       BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, kind)
);

-- rehu:table fee tenant
CREATE TABLE fee (
    city_id        INTEGER NOT NULL,
    row_key        TEXT NOT NULL,
    edition        BIGINT NOT NULL,
    until_edition  BIGINT NOT NULL,
    row_sum        TEXT NOT NULL,
    account        TEXT NOT NULL,
    season         TEXT NOT NULL,
    billed_area_m2 TEXT NOT NULL,
    price_class    TEXT NOT NULL,
    amount_fen     BIGINT CHECK (amount_fen >= 0),
    paid_fen       BIGINT CHECK (paid_fen >= 0),
    paid_at        BIGINT,
    PRIMARY KEY (city_id, row_key, edition)
);
CREATE INDEX fee_season ON fee (city_id, season, account);

-- What a household's supply contract says that a bill or a refund depends on.
-- rehu:table fee_term tenant
CREATE TABLE fee_term (
    city_id  INTEGER NOT NULL,
    account  TEXT NOT NULL,
    agreed_c INTEGER,
    contract TEXT NOT NULL,
    height_m TEXT NOT NULL,
    version  BIGINT NOT NULL,
    PRIMARY KEY (city_id, account)
);

-- +goose Down
DROP TABLE fee_term;
DROP TABLE fee;
DROP TABLE fee_register;
