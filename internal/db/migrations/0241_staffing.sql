-- +goose Up
-- Seats of the centre: how many there must be, how many there are, and the calls of the time before this program counted
-- them. What should be reached is the city's own choice, with its source.

-- rehu:table staffing_setting tenant
CREATE TABLE staffing_setting (
    city_id    INTEGER NOT NULL,
    target     INTEGER NOT NULL CHECK (target >= 500 AND target <= 999),
    within_s   INTEGER NOT NULL CHECK (within_s >= 1 AND within_s <= 300),
    shrinkage  INTEGER NOT NULL CHECK (shrinkage >= 0 AND shrinkage <= 800),
    talk_s     INTEGER NOT NULL CHECK (talk_s >= 10 AND talk_s <= 3600),
    wrap_s     INTEGER NOT NULL CHECK (wrap_s >= 0 AND wrap_s <= 3600),
    source     TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id)
);

-- rehu:table staffing_shift tenant
CREATE TABLE staffing_shift (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    team       TEXT NOT NULL,
    from_at    BIGINT NOT NULL,
    to_at      BIGINT NOT NULL CHECK (to_at > from_at),
    seats      INTEGER NOT NULL CHECK (seats >= 1 AND seats <= 5000),
    created_by TEXT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX staffing_shift_from ON staffing_shift (city_id, from_at);

-- rehu:table staffing_history tenant
CREATE TABLE staffing_history (
    city_id INTEGER NOT NULL,
    at      BIGINT NOT NULL,
    calls   INTEGER NOT NULL CHECK (calls >= 0),
    source  TEXT NOT NULL,
    PRIMARY KEY (city_id, at)
);

-- +goose Down
DROP TABLE staffing_history;
DROP TABLE staffing_shift;
DROP TABLE staffing_setting;
