-- +goose Up
-- The legal day of refunds has a clock of its own. A closed list of values is made anew where it grew, since neither
-- database can widen a check in place. The daily job that warned before is gone.

ALTER TABLE clock ADD COLUMN code2 TEXT NOT NULL DEFAULT 'sign' CHECK (code2 IN ('sign', 'first_contact', 'arrive', 'measure', 'feedback', 'retest', 'answer', 'resident', 'return_window', 'return_answer', 'connect', 'refund'));
UPDATE clock SET code2 = code;
ALTER TABLE clock DROP COLUMN code;
ALTER TABLE clock RENAME COLUMN code2 TO code;

-- When a claim was first published in an approved settlement: a law may let the time to pay run from then.
ALTER TABLE refund_claim ADD COLUMN published_at BIGINT;

CREATE INDEX clock_refund ON clock (city_id, id) WHERE code = 'refund';

UPDATE job SET state = 'done', done_at = created_at WHERE kind = 'settle.warn' AND state <> 'done';

-- +goose Down
DELETE FROM clock_entry WHERE EXISTS (SELECT 1 FROM clock c WHERE c.city_id = clock_entry.city_id AND c.id = clock_entry.clock_id AND c.code = 'refund');
DELETE FROM clock WHERE code = 'refund';
DROP INDEX clock_refund;
ALTER TABLE refund_claim DROP COLUMN published_at;
