-- +goose Up
-- Which communities a station heats: asked for each live stop whenever a resident looks.
CREATE INDEX community_station ON community (city_id, station) WHERE station <> '';
CREATE INDEX building_station ON building (city_id, station) WHERE station <> '';

-- +goose Down
DROP INDEX building_station;
DROP INDEX community_station;
