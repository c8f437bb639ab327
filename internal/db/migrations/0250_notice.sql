-- +goose Up
-- A message may have a second way to go when the first refuses, costs money by its parts, and may be left unsent because the
-- person wants none. A city words its messages itself: an edition of a template counts once a second person approved it.
-- Columns with a closed list of values are made anew where the list grew, since neither database can widen a check in place.

ALTER TABLE notice ADD COLUMN state2 TEXT NOT NULL DEFAULT 'queued' CHECK (state2 IN ('queued', 'sent', 'delivered', 'failed', 'held', 'dropped'));
UPDATE notice SET state2 = state;
DROP INDEX notice_state;
ALTER TABLE notice DROP COLUMN state;
ALTER TABLE notice RENAME COLUMN state2 TO state;
CREATE INDEX notice_state ON notice (city_id, state, id);

ALTER TABLE notice ADD COLUMN channel2 TEXT NOT NULL DEFAULT 'sms' CHECK (channel2 IN ('sms', 'wechat', 'email', 'console', 'webpush'));
UPDATE notice SET channel2 = channel;
ALTER TABLE notice DROP COLUMN channel;
ALTER TABLE notice RENAME COLUMN channel2 TO channel;

ALTER TABLE notice ADD COLUMN class TEXT NOT NULL DEFAULT 'own' CHECK (class IN ('own', 'bulletin'));
ALTER TABLE notice ADD COLUMN other_channel TEXT NOT NULL DEFAULT '';
ALTER TABLE notice ADD COLUMN other_to TEXT NOT NULL DEFAULT '';
ALTER TABLE notice ADD COLUMN tried TEXT NOT NULL DEFAULT '';
ALTER TABLE notice ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notice ADD COLUMN price TEXT NOT NULL DEFAULT '';
CREATE INDEX notice_sent ON notice (city_id, sent_at) WHERE parts > 0;

-- rehu:table notice_template tenant
CREATE TABLE notice_template (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    template   TEXT NOT NULL,
    lang       TEXT NOT NULL CHECK (lang IN ('zh', 'en')),
    edition    INTEGER NOT NULL CHECK (edition > 0),
    text       TEXT NOT NULL,
    code       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('draft', 'approved', 'refused', 'superseded')),
    written_by TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX notice_template_edition ON notice_template (city_id, template, lang, edition);
CREATE UNIQUE INDEX notice_template_approved ON notice_template (city_id, template, lang) WHERE state = 'approved';

-- rehu:table notice_refusal tenant
CREATE TABLE notice_refusal (
    city_id INTEGER NOT NULL,
    person  TEXT NOT NULL,
    scope   TEXT NOT NULL CHECK (scope IN ('bulletin', 'all')),
    door    TEXT NOT NULL CHECK (door IN ('sms', 'link', 'page', 'staff', 'wechat')),
    at      BIGINT NOT NULL,
    PRIMARY KEY (city_id, person)
);

-- +goose Down
DROP TABLE notice_refusal;
DROP TABLE notice_template;
DROP INDEX notice_sent;
ALTER TABLE notice DROP COLUMN price;
ALTER TABLE notice DROP COLUMN parts;
ALTER TABLE notice DROP COLUMN tried;
ALTER TABLE notice DROP COLUMN other_to;
ALTER TABLE notice DROP COLUMN other_channel;
ALTER TABLE notice DROP COLUMN class;
