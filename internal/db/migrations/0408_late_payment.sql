-- +goose Up
-- That a late charge was paid, when, and what shows it: an order that was paid late is done with only then.
ALTER TABLE payout ADD COLUMN late_fen BIGINT NOT NULL DEFAULT 0 CHECK (late_fen >= 0);
ALTER TABLE payout ADD COLUMN late_on TEXT;
ALTER TABLE payout ADD COLUMN late_proof TEXT NOT NULL DEFAULT '';

-- Of what was paid before, any may have been late; whoever reads it looks at the days.
ALTER TABLE payout ADD COLUMN paid_late BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE payout SET paid_late = TRUE WHERE state = 'paid' AND pay_by IS NOT NULL;
CREATE INDEX payout_late ON payout (city_id, season, company, account) WHERE paid_late;

-- +goose Down
DROP INDEX payout_late;
ALTER TABLE payout DROP COLUMN paid_late;
ALTER TABLE payout DROP COLUMN late_proof;
ALTER TABLE payout DROP COLUMN late_on;
ALTER TABLE payout DROP COLUMN late_fen;
