-- +goose Up
-- The key under which the gateway took a message last: a receipt for an earlier sending of it says nothing about this one.
ALTER TABLE notice ADD COLUMN sent_key TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE notice DROP COLUMN sent_key;
