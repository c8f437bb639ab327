-- +goose Up
-- The nonces of the platforms' signed requests stand with those of the channels (channel_nonce), under the name exchange.
INSERT INTO channel_nonce (city_id, channel, account, nonce, seen_at) SELECT city_id, 'exchange', platform, nonce, at FROM exchange_nonce;
DROP TABLE exchange_nonce;

-- +goose Down
-- rehu:table exchange_nonce tenant
CREATE TABLE exchange_nonce (
    city_id  INTEGER NOT NULL,
    platform TEXT NOT NULL,
    nonce    TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (city_id, platform, nonce)
);
CREATE INDEX exchange_nonce_at ON exchange_nonce (city_id, at);
INSERT INTO exchange_nonce (city_id, platform, nonce, at) SELECT city_id, account, nonce, seen_at FROM channel_nonce WHERE channel = 'exchange';
DELETE FROM channel_nonce WHERE channel = 'exchange';
