-- +goose Up
-- A refused appeal may be made once more with new grounds while the figure is not fixed.
DROP INDEX callback_appeal_once;
CREATE UNIQUE INDEX callback_appeal_once ON callback_appeal (city_id, outcome_id, rate) WHERE state <> 'refused';
CREATE INDEX callback_appeal_outcome ON callback_appeal (city_id, outcome_id, rate);

-- +goose Down
DROP INDEX callback_appeal_outcome;
DROP INDEX callback_appeal_once;
DELETE FROM callback_appeal WHERE state = 'refused' AND EXISTS (SELECT 1 FROM callback_appeal b WHERE b.city_id = callback_appeal.city_id
    AND b.outcome_id = callback_appeal.outcome_id AND b.rate = callback_appeal.rate AND b.id > callback_appeal.id);
CREATE UNIQUE INDEX callback_appeal_once ON callback_appeal (city_id, outcome_id, rate);
