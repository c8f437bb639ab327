-- +goose Up
-- The key that signs exports and roots of the Merkle log, one for the installation: private is wrapped by the keyring and
-- so unreadable in a backup, public is given away. The key in use is the one with the greatest number.
-- rehu:table signing_key local
CREATE TABLE signing_key (
    no         INTEGER NOT NULL PRIMARY KEY,
    public     TEXT NOT NULL,
    private    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE signing_key;
