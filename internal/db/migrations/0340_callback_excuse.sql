-- +goose Up
-- Every upheld appeal stays on its outcome with its own reason: a second one, against another rate, does not take the place
-- of the first. Figures that are fixed are looked up by outcome.
ALTER TABLE callback_outcome ADD COLUMN excuses TEXT;
UPDATE callback_outcome SET excuses = (
    SELECT '[' || string_agg('{"rate":"' || a.rate || '","reason":"' || a.reason || '","appeal":"' || a.id || '"}', ',') || ']'
    FROM callback_appeal a WHERE a.city_id = callback_outcome.city_id AND a.outcome_id = callback_outcome.id AND a.state = 'upheld')
    WHERE excused <> '';
ALTER TABLE callback_outcome DROP COLUMN excused_rates;
ALTER TABLE callback_outcome DROP COLUMN excused;
CREATE INDEX callback_frozen_outcome ON callback_frozen (city_id, outcome_id);

-- +goose Down
DROP INDEX callback_frozen_outcome;
ALTER TABLE callback_outcome ADD COLUMN excused TEXT NOT NULL DEFAULT '' CHECK (excused IN ('', 'user', 'misdirected', 'repeat', 'force', 'untrue'));
ALTER TABLE callback_outcome ADD COLUMN excused_rates TEXT;
ALTER TABLE callback_outcome DROP COLUMN excuses;
