-- +goose Up
-- What is counted by the channel that cases came in by. Every day is counted once more, since earlier counts do not know it.
-- rehu:table stat_channel tenant
CREATE TABLE stat_channel (
    city_id     INTEGER NOT NULL,
    day         TEXT NOT NULL,
    company     TEXT NOT NULL,
    district    TEXT NOT NULL,
    channel     TEXT NOT NULL,
    received    BIGINT NOT NULL,
    answered    BIGINT NOT NULL,
    refused     BIGINT NOT NULL,
    due         BIGINT NOT NULL,
    disposed    BIGINT NOT NULL,
    closed      BIGINT NOT NULL,
    late        BIGINT NOT NULL,
    late_open   BIGINT NOT NULL,
    reworked    BIGINT NOT NULL,
    reopened    BIGINT NOT NULL,
    extended    BIGINT NOT NULL,
    called      BIGINT NOT NULL,
    solved      BIGINT NOT NULL,
    satisfied   BIGINT NOT NULL,
    dispatches  BIGINT NOT NULL,
    misdirected BIGINT NOT NULL,
    PRIMARY KEY (city_id, day, company, district, channel)
);
UPDATE stat_mark SET upto = 0;

-- +goose Down
DROP TABLE stat_channel;
