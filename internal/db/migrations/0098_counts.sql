-- +goose Up
-- The tally keeps beside each day's rows one without a day, the sum of them: what has no day in its question is answered by
-- few rows, however many years there are. Both stand together in this index.
DROP INDEX case_tally_key;
CREATE INDEX case_tally_day ON case_tally (city_id, day, status, company, district, category, n);
INSERT INTO case_tally (city_id, id, day, status, company, district, category, n, folded)
    SELECT t.city_id, 'sum/' || t.status || '/' || t.company || '/' || t.district || '/' || t.category, '', t.status, t.company, t.district, t.category, SUM(t.n), TRUE
    FROM case_tally t WHERE t.city_id > 0 AND t.folded GROUP BY t.city_id, t.status, t.company, t.district, t.category;

-- All that is counted of the open cases, so that counting reads no case.
CREATE INDEX case_file_load ON case_file (city_id, company, status, district, due_sort, supervised, open) WHERE open;

-- +goose Down
DROP INDEX case_file_load;
DELETE FROM case_tally WHERE city_id > 0 AND day = '';
DROP INDEX case_tally_day;
CREATE INDEX case_tally_key ON case_tally (city_id, status, company, district, category, day, n);
