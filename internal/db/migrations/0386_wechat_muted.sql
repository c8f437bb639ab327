-- +goose Up
-- Whether somebody asked in WeChat for no more messages there; text messages go out instead.

ALTER TABLE wechat_user ADD COLUMN muted BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE wechat_user DROP COLUMN muted;
