-- +goose Up
-- What people read in a post otherwise than the program did: each correction with what it was, who said so and why. changed_at
-- tells whoever looks at the queue what changed since.
ALTER TABLE clue ADD COLUMN changed_at BIGINT;
UPDATE clue SET changed_at = received_at;
CREATE INDEX clue_changed ON clue (city_id, changed_at, id);

-- rehu:table clue_correction tenant
CREATE TABLE clue_correction (
    city_id INTEGER NOT NULL,
    id      TEXT NOT NULL,
    clue_id TEXT NOT NULL,
    at      BIGINT NOT NULL,
    by_id   TEXT NOT NULL,
    by_name TEXT NOT NULL,
    reason  TEXT NOT NULL,
    changes TEXT,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, clue_id) REFERENCES clue (city_id, id)
);
CREATE INDEX clue_correction_clue ON clue_correction (city_id, clue_id, id);

-- +goose Down
DROP TABLE clue_correction;
DROP INDEX clue_changed;
ALTER TABLE clue DROP COLUMN changed_at;
