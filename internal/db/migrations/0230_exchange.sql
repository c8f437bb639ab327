-- +goose Up
-- Tickets passed to and fro with 12345, the province's platform and the city's 城市运行管理服务平台, and what the heating
-- companies' own hotlines report. An exchange_message is one act of one side on one ticket: what came in is kept in turn
-- (held until what is missing before it has come), what goes out leaves in turn. Its body is sealed under the caller's key.

-- rehu:table exchange_platform tenant
CREATE TABLE exchange_platform (
    city_id        INTEGER NOT NULL,
    code           TEXT NOT NULL,
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('hotline', 'province', 'city')),
    url            TEXT NOT NULL,
    account        TEXT NOT NULL,
    secret         TEXT NOT NULL,
    return_minutes INTEGER NOT NULL,
    gap_minutes    INTEGER NOT NULL,
    active         BOOLEAN NOT NULL,
    ok_at          BIGINT,
    failed_at      BIGINT,
    failure        TEXT NOT NULL,
    heard_at       BIGINT,
    created_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    PRIMARY KEY (city_id, code)
);

-- rehu:table exchange_ticket tenant
CREATE TABLE exchange_ticket (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    platform    TEXT NOT NULL,
    no          TEXT NOT NULL,
    opened_by   TEXT NOT NULL CHECK (opened_by IN ('platform', 'centre')),
    peer_no     TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    case_no     TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('dispatched', 'accepted', 'handling', 'returning', 'replied', 'called_back', 'closed', 'returned', 'cancelled')),
    part        TEXT NOT NULL CHECK (part IN ('first', 'additional')),
    seat        TEXT NOT NULL,
    title       TEXT NOT NULL,
    district    TEXT NOT NULL,
    company     TEXT NOT NULL,
    person      TEXT NOT NULL,
    opened_at   BIGINT NOT NULL,
    accept_by   BIGINT,
    reply_by    BIGINT,
    return_by   BIGINT,
    taken_seq   BIGINT NOT NULL,
    said_seq    BIGINT NOT NULL,
    gap_since   BIGINT,
    asked_again BIGINT,
    attention   TEXT NOT NULL,
    lease       BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, platform) REFERENCES exchange_platform (city_id, code)
);
CREATE UNIQUE INDEX exchange_ticket_no ON exchange_ticket (city_id, platform, opened_by, no);
CREATE INDEX exchange_ticket_number ON exchange_ticket (city_id, no);
CREATE INDEX exchange_ticket_peer ON exchange_ticket (city_id, peer_no);
CREATE INDEX exchange_ticket_case ON exchange_ticket (city_id, case_id);
CREATE INDEX exchange_ticket_day ON exchange_ticket (city_id, platform, opened_at, id);
CREATE INDEX exchange_ticket_gap ON exchange_ticket (city_id, gap_since) WHERE gap_since IS NOT NULL;

-- rehu:table exchange_message tenant
CREATE TABLE exchange_message (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    ticket_id  TEXT NOT NULL,
    platform   TEXT NOT NULL,
    way        TEXT NOT NULL CHECK (way IN ('in', 'out')),
    seq        BIGINT NOT NULL,
    event      TEXT NOT NULL,
    said_at    BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('held', 'taken', 'queued', 'sent', 'refused')),
    note       TEXT NOT NULL,
    person     TEXT NOT NULL,
    body       TEXT NOT NULL,
    hash       TEXT NOT NULL,
    files      TEXT,
    by_id      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    done_at    BIGINT,
    tries      INTEGER NOT NULL,
    next_at    BIGINT,
    error      TEXT NOT NULL,
    PRIMARY KEY (city_id, id),
    FOREIGN KEY (city_id, ticket_id) REFERENCES exchange_ticket (city_id, id)
);
CREATE UNIQUE INDEX exchange_message_seq ON exchange_message (city_id, ticket_id, way, seq);
CREATE INDEX exchange_message_queue ON exchange_message (city_id, next_at) WHERE state = 'queued';
CREATE INDEX exchange_message_state ON exchange_message (city_id, platform, state, id) WHERE state <> 'taken' AND state <> 'sent';

-- rehu:table exchange_request tenant
CREATE TABLE exchange_request (
    city_id    INTEGER NOT NULL,
    ticket_id  TEXT NOT NULL,
    way        TEXT NOT NULL CHECK (way IN ('in', 'out')),
    seq        BIGINT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('extension', 'exclusion', 'supervision')),
    state      TEXT NOT NULL CHECK (state IN ('asked', 'granted', 'refused', 'answered')),
    reason     TEXT NOT NULL,
    what       TEXT NOT NULL,
    number     TEXT NOT NULL,
    until_at   BIGINT,
    asked_at   BIGINT NOT NULL,
    decided_at BIGINT,
    note       TEXT NOT NULL,
    PRIMARY KEY (city_id, ticket_id, way, seq),
    FOREIGN KEY (city_id, ticket_id) REFERENCES exchange_ticket (city_id, id)
);

-- rehu:table exchange_nonce tenant
CREATE TABLE exchange_nonce (
    city_id  INTEGER NOT NULL,
    platform TEXT NOT NULL,
    nonce    TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (city_id, platform, nonce)
);
CREATE INDEX exchange_nonce_at ON exchange_nonce (city_id, at);

-- rehu:table exchange_day tenant
CREATE TABLE exchange_day (
    city_id    INTEGER NOT NULL,
    platform   TEXT NOT NULL,
    day        TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    theirs     INTEGER NOT NULL,
    ours       INTEGER NOT NULL,
    differing  INTEGER NOT NULL,
    PRIMARY KEY (city_id, platform, day),
    FOREIGN KEY (city_id, platform) REFERENCES exchange_platform (city_id, code)
);

-- rehu:table exchange_difference tenant
CREATE TABLE exchange_difference (
    city_id     INTEGER NOT NULL,
    platform    TEXT NOT NULL,
    day         TEXT NOT NULL,
    opened_by   TEXT NOT NULL,
    no          TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('missing_here', 'missing_there', 'state')),
    theirs      TEXT NOT NULL,
    ours        TEXT NOT NULL,
    ticket_id   TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'repairing', 'repaired', 'gone')),
    error       TEXT NOT NULL,
    found_at    BIGINT NOT NULL,
    repaired_at BIGINT,
    repaired_by TEXT NOT NULL,
    PRIMARY KEY (city_id, platform, day, opened_by, no)
);

-- rehu:table hotline_report tenant
CREATE TABLE hotline_report (
    city_id     INTEGER NOT NULL,
    company     TEXT NOT NULL,
    no          TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    case_no     TEXT NOT NULL,
    told_at     BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    late        BOOLEAN NOT NULL,
    door        TEXT NOT NULL CHECK (door IN ('api', 'command', 'page')),
    prefix      TEXT NOT NULL,
    number      BIGINT NOT NULL,
    PRIMARY KEY (city_id, company, no)
);
CREATE INDEX hotline_report_told ON hotline_report (city_id, company, told_at);
CREATE INDEX hotline_report_number ON hotline_report (city_id, company, prefix, number);

-- +goose Down
DROP TABLE hotline_report;
DROP TABLE exchange_difference;
DROP TABLE exchange_day;
DROP TABLE exchange_nonce;
DROP TABLE exchange_request;
DROP TABLE exchange_message;
DROP TABLE exchange_ticket;
DROP TABLE exchange_platform;
