-- +goose Up
-- A resident's homes, a home's residents and open questions are listed in the order of their ids. An index that knows this
-- order is taken; without it SQLite walks through those of the whole city, which are in that order too.
DROP INDEX resident_binding_person;
CREATE INDEX resident_binding_person ON resident_binding (city_id, person, id);
DROP INDEX resident_binding_account;
CREATE INDEX resident_binding_account ON resident_binding (city_id, account, state, id);
DROP INDEX notice_question_open;
CREATE INDEX notice_question_open ON notice_question (city_id, person, id) WHERE answered_at IS NULL;

-- +goose Down
DROP INDEX notice_question_open;
CREATE INDEX notice_question_open ON notice_question (city_id, person) WHERE answered_at IS NULL;
DROP INDEX resident_binding_account;
CREATE INDEX resident_binding_account ON resident_binding (city_id, account, state);
DROP INDEX resident_binding_person;
CREATE INDEX resident_binding_person ON resident_binding (city_id, person, state);
