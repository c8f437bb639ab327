-- +goose Up
-- What heat meters of households showed: the opening of a season or of a new meter, months between, the closing. The value
-- is an exact decimal in its own unit; what was used follows from opening and closing.
-- rehu:table meter_reading tenant
CREATE TABLE meter_reading (
    city_id    INTEGER NOT NULL,
    account    TEXT NOT NULL,
    meter      TEXT NOT NULL,
    season     TEXT NOT NULL,
    read_on    TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('opening', 'monthly', 'closing')),
    value      TEXT NOT NULL,
    unit       TEXT NOT NULL CHECK (unit IN ('kwh', 'gj')),
    kept_by    TEXT NOT NULL,
    kept_at    BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, account, meter, season, read_on, kind)
);

-- +goose Down
DROP TABLE meter_reading;
