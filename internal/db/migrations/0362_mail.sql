-- +goose Up
-- The address at which a resident wants letters, once they have given back the code that was sent to it. address is sealed
-- under the person's key; blind finds whose an address is; code is a hash.

-- rehu:table mail_address tenant
CREATE TABLE mail_address (
    city_id      INTEGER NOT NULL,
    person       TEXT NOT NULL,
    address      TEXT NOT NULL,
    blind        TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('asked', 'kept')),
    code         TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    expires_at   BIGINT NOT NULL,
    asked_at     BIGINT NOT NULL,
    confirmed_at BIGINT,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, person)
);
CREATE INDEX mail_address_blind ON mail_address (city_id, blind);

-- +goose Down
DROP TABLE mail_address;
