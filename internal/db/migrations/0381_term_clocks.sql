-- +goose Up
-- The deadline of an instruction and that of an enquiry of the press have clocks of their own. The list of codes is made anew
-- as it was when refunds came.

DROP INDEX clock_refund;
ALTER TABLE clock ADD COLUMN code2 TEXT NOT NULL DEFAULT 'sign' CHECK (code2 IN ('sign', 'first_contact', 'arrive', 'measure', 'feedback', 'retest', 'answer', 'resident', 'return_window', 'return_answer', 'connect', 'refund', 'instruction', 'enquiry'));
UPDATE clock SET code2 = code;
ALTER TABLE clock DROP COLUMN code;
ALTER TABLE clock RENAME COLUMN code2 TO code;
CREATE INDEX clock_refund ON clock (city_id, id) WHERE code = 'refund';

-- +goose Down
DELETE FROM clock_entry WHERE EXISTS (SELECT 1 FROM clock c WHERE c.city_id = clock_entry.city_id AND c.id = clock_entry.clock_id AND c.code IN ('instruction', 'enquiry'));
DELETE FROM clock WHERE code IN ('instruction', 'enquiry');
