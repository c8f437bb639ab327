-- +goose Up
-- Which acts subscribers (webhook) were told of is kept with each chain instead of as an instant of the city: an act whose
-- transaction commits late is found like any other, since its chain is longer than what was told of it.
ALTER TABLE chain_head ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
UPDATE chain_head SET told = seq;
UPDATE chain_head SET told = (SELECT MIN(e.seq) - 1 FROM entry e JOIN webhook_cursor w ON w.city_id = e.city_id
    WHERE e.city_id = chain_head.city_id AND e.subject = chain_head.subject AND e.at >= w.until - 60000)
    WHERE EXISTS (SELECT 1 FROM entry e JOIN webhook_cursor w ON w.city_id = e.city_id
    WHERE e.city_id = chain_head.city_id AND e.subject = chain_head.subject AND e.at >= w.until - 60000);
CREATE INDEX chain_head_untold ON chain_head (city_id, subject) WHERE told < seq;
DROP TABLE webhook_cursor;

-- +goose Down
-- rehu:table webhook_cursor tenant
CREATE TABLE webhook_cursor (
    city_id INTEGER NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (city_id)
);
DROP INDEX chain_head_untold;
ALTER TABLE chain_head DROP COLUMN told;
