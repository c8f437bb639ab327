-- +goose Up
-- Payments that somebody at a counter entered, each with its day, channel and payer. The bill's own sum of payments (fee.paid_fen)
-- already holds them; a void takes a payment out of it again. The payer's name is sealed.
-- rehu:table fee_payment tenant
CREATE TABLE fee_payment (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    account     TEXT NOT NULL,
    season      TEXT NOT NULL,
    amount_fen  BIGINT NOT NULL CHECK (amount_fen > 0),
    paid_on     TEXT NOT NULL,
    channel     TEXT NOT NULL CHECK (channel IN ('counter', 'bank', 'transfer', 'wechat', 'alipay', 'other')),
    payer       TEXT NOT NULL CHECK (payer IN ('holder', 'occupant', 'employer', 'subsidy_office', 'other')),
    person      TEXT NOT NULL,
    payer_name  TEXT NOT NULL,
    receipt     TEXT NOT NULL,
    made_by     TEXT NOT NULL,
    made_at     BIGINT NOT NULL,
    voided_by   TEXT NOT NULL,
    voided_at   BIGINT,
    void_reason TEXT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX fee_payment_bill ON fee_payment (city_id, account, season);

-- What heat meters of households showed. A record is never changed: a correction is a new one that supersedes it, a void ends
-- it with a reason; one record at a time stands for a meter, day and kind.
-- rehu:table meter_record tenant
CREATE TABLE meter_record (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    account    TEXT NOT NULL,
    meter      TEXT NOT NULL,
    season     TEXT NOT NULL,
    read_on    TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('opening', 'monthly', 'closing')),
    value      TEXT NOT NULL,
    unit       TEXT NOT NULL CHECK (unit IN ('kwh', 'gj')),
    kept_by    TEXT NOT NULL,
    kept_at    BIGINT NOT NULL,
    supersedes TEXT NOT NULL,
    ended      TEXT NOT NULL CHECK (ended IN ('', 'superseded', 'voided')),
    ended_by   TEXT NOT NULL,
    ended_at   BIGINT,
    reason     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX meter_record_one ON meter_record (city_id, account, meter, season, read_on, kind) WHERE ended = '';
CREATE INDEX meter_record_account ON meter_record (city_id, account);
INSERT INTO meter_record (city_id, id, account, meter, season, read_on, kind, value, unit, kept_by, kept_at, supersedes, ended, ended_by, ended_at, reason, version)
    SELECT city_id, account || '|' || meter || '|' || season || '|' || read_on || '|' || kind, account, meter, season, read_on, kind, value, unit, kept_by, kept_at, '', '', '', NULL, '', version
    FROM meter_reading;
DROP TABLE meter_reading;

-- +goose Down
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
INSERT INTO meter_reading SELECT city_id, account, meter, season, read_on, kind, value, unit, kept_by, kept_at, version FROM meter_record WHERE ended = '';
DROP TABLE meter_record;
DROP TABLE fee_payment;
