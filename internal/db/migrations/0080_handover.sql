-- +goose Up
-- What one shift leaves to the next: a sheet that the system writes, the words of the shift leader, and who took it over.
-- rehu:table handover tenant
CREATE TABLE handover (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    no         TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('written', 'taken')),
    sheet      TEXT NOT NULL,
    note       TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    written_by TEXT NOT NULL,
    writer     TEXT NOT NULL,
    taken_at   BIGINT,
    taken_by   TEXT NOT NULL,
    taker      TEXT NOT NULL,
    reply      TEXT NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE UNIQUE INDEX handover_no ON handover (city_id, no);
CREATE UNIQUE INDEX handover_waiting ON handover (city_id) WHERE state = 'written';

-- +goose Down
DROP TABLE handover;
