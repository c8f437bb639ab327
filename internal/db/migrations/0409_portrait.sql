-- +goose Up
-- The picture of somebody who comes to people's homes, as residents see it beside the code at the door; empty: none.
ALTER TABLE person ADD COLUMN portrait TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE person DROP COLUMN portrait;
