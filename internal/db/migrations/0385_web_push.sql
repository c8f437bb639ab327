-- +goose Up
-- A browser in which a resident, logged in there, asked for notifications. endpoint and keys are sealed under the person's
-- key; blind finds the browser again when it asks a second time, for whomever. asked_at is when they allowed it.

-- rehu:table push_device tenant
CREATE TABLE push_device (
    city_id  INTEGER NOT NULL,
    id       TEXT NOT NULL,
    person   TEXT NOT NULL,
    session  TEXT NOT NULL,
    blind    TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    keys     TEXT NOT NULL,
    agent    TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    UNIQUE (city_id, blind)
);
CREATE INDEX push_device_person ON push_device (city_id, person);

-- +goose Down
DROP TABLE push_device;
