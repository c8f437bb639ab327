-- +goose Up
-- Arrears are set off against a refund only by an agreement of the household, with its day, who agreed, the paper and the
-- sum, or by a right that the city's rule gives with its article. A consent without a sum counts no more; what was set off
-- under one stays, as an agreement of before.

-- who is sealed with the person's key.
-- rehu:table refund_set_off tenant
CREATE TABLE refund_set_off (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    season     TEXT NOT NULL,
    account    TEXT NOT NULL,
    company    TEXT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    ground     TEXT NOT NULL CHECK (ground IN ('consent', 'law', 'earlier')),
    article    TEXT NOT NULL,
    agreed_on  TEXT,
    person     TEXT NOT NULL,
    who        TEXT NOT NULL,
    proof      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('agreed', 'withdrawn')),
    reason     TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX refund_set_off_claim ON refund_set_off (city_id, season, account);

INSERT INTO refund_set_off (city_id, id, season, account, company, amount_fen, ground, article, agreed_on, person, who, proof, state, reason, made_by, made_at, version)
SELECT city_id, settlement || ':' || account, season, account, company, set_off_fen, 'earlier', '', NULL, '', '', '', 'agreed', '', '', created_at, 1
FROM payout WHERE set_off_fen > 0;

ALTER TABLE refund_payee DROP COLUMN set_off;

-- +goose Down
ALTER TABLE refund_payee ADD COLUMN set_off BOOLEAN NOT NULL DEFAULT FALSE;
DROP TABLE refund_set_off;
