-- +goose Up
-- The temperature outside, hour by hour, as the city's weather service gives it.
-- rehu:table outdoor_temperature tenant
CREATE TABLE outdoor_temperature (
    city_id INTEGER NOT NULL,
    at      BIGINT NOT NULL,
    temp_c  INTEGER NOT NULL CHECK (temp_c BETWEEN -600 AND 600),
    source  TEXT NOT NULL,
    PRIMARY KEY (city_id, at)
);

-- What lies under the map of a city: rivers, roads and borders as GeoJSON in WGS84, in the order in which it is drawn.
-- rehu:table base_map tenant
CREATE TABLE base_map (
    city_id  INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('water', 'river', 'rail', 'ring', 'arterial', 'road', 'district', 'street')),
    name     TEXT NOT NULL,
    geometry TEXT NOT NULL,
    PRIMARY KEY (city_id, n)
);

-- How many homes each area serves, counted anew when the lists change, so that a page need not read every household.
-- rehu:table stat_area tenant
CREATE TABLE stat_area (
    city_id    INTEGER NOT NULL,
    area       TEXT NOT NULL,
    company    TEXT NOT NULL,
    households BIGINT NOT NULL,
    PRIMARY KEY (city_id, area, company)
);

-- Of which editions of the lists, and with which version of areas, the homes were counted.
-- rehu:table stat_area_mark tenant
CREATE TABLE stat_area_mark (
    city_id  INTEGER NOT NULL,
    editions TEXT NOT NULL,
    PRIMARY KEY (city_id)
);

-- +goose Down
DROP TABLE stat_area_mark;
DROP TABLE stat_area;
DROP TABLE base_map;
DROP TABLE outdoor_temperature;
