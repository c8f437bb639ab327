-- +goose Up
-- How a visit went at the door stands beside its record, so that visits are counted without reading what they hold.
ALTER TABLE measure_record ADD COLUMN outcome TEXT NOT NULL DEFAULT '' CHECK (outcome IN ('', 'met', 'nobody_home', 'refused_by_user', 'refused_by_company', 'unable'));
UPDATE measure_record SET outcome = 'met' WHERE kind = 'arrival' AND data LIKE '%"outcome":"met"%';
UPDATE measure_record SET outcome = 'nobody_home' WHERE kind = 'arrival' AND data LIKE '%"outcome":"nobody_home"%';
UPDATE measure_record SET outcome = 'refused_by_user' WHERE kind = 'arrival' AND data LIKE '%"outcome":"refused_by_user"%';
UPDATE measure_record SET outcome = 'refused_by_company' WHERE kind = 'arrival' AND data LIKE '%"outcome":"refused_by_company"%';
CREATE INDEX measure_record_door ON measure_record (city_id, at) WHERE outcome <> '';

-- +goose Down
DROP INDEX measure_record_door;
ALTER TABLE measure_record DROP COLUMN outcome;
