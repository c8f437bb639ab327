-- +goose Up
-- When the heat stops that a bulletin tells of, and whether people were told later than the city's notice period wants: it
-- is judged once, when the bulletin goes out, and stays whatever becomes of the rule.
ALTER TABLE bulletin ADD COLUMN from_at BIGINT;
ALTER TABLE bulletin ADD COLUMN late BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE bulletin DROP COLUMN late;
ALTER TABLE bulletin DROP COLUMN from_at;
