-- +goose Up
-- Up to which day a claim's sum is reckoned, and whether another day would change it: the daily count reads only claims that
-- run. counted_under is the rule and season under which all claims of a season were counted.
ALTER TABLE refund_claim ADD COLUMN counted_to TEXT;
ALTER TABLE refund_claim ADD COLUMN running BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX refund_claim_running ON refund_claim (city_id, season, account) WHERE running;
ALTER TABLE settle_head ADD COLUMN counted_under TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE settle_head DROP COLUMN counted_under;
DROP INDEX refund_claim_running;
ALTER TABLE refund_claim DROP COLUMN running;
ALTER TABLE refund_claim DROP COLUMN counted_to;
