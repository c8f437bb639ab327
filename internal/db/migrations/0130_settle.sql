-- +goose Up
-- Refund claims and their settlement. A claim is one row per household and season, its events and its basis packed; a
-- settlement writes one line per claim in batches under its own number, and becomes seen as a whole by the change of its
-- state and of settle_head in one short transaction.

-- rehu:table refund_claim tenant
CREATE TABLE refund_claim (
    city_id       INTEGER NOT NULL,
    season        TEXT NOT NULL,
    account       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('open', 'objected', 'confirmed', 'refused')),
    company       TEXT NOT NULL,
    station       TEXT NOT NULL,
    area          TEXT NOT NULL,
    district      TEXT NOT NULL,
    community     TEXT NOT NULL,
    facts         TEXT NOT NULL,
    basis         TEXT NOT NULL,
    basis_mark    TEXT NOT NULL,
    home          BOOLEAN NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('computed', 'needs_approval', 'not_computable')),
    amount_fen    BIGINT NOT NULL CHECK (amount_fen >= 0),
    counted       INTEGER NOT NULL,
    missing       TEXT NOT NULL,
    pay_by        TEXT,
    confirmed_fen BIGINT,
    confirmed_at  BIGINT,
    bearer        TEXT NOT NULL,
    claimed_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (city_id, season, account)
);
CREATE INDEX refund_claim_company ON refund_claim (city_id, season, company, account);

-- The rule that the authority chose for a season, where the pack dates none.
-- rehu:table refund_choice tenant
CREATE TABLE refund_choice (
    city_id   INTEGER NOT NULL,
    season    TEXT NOT NULL,
    rule      TEXT NOT NULL,
    chosen_by TEXT NOT NULL,
    chosen_at BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    PRIMARY KEY (city_id, season)
);

-- 企业异议: a reason of the rule with its proof, and the authority's decision.
-- rehu:table refund_objection tenant
CREATE TABLE refund_objection (
    city_id    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    season     TEXT NOT NULL,
    account    TEXT NOT NULL,
    company    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    from_day   TEXT NOT NULL,
    to_day     TEXT NOT NULL,
    proof      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('filed', 'accepted', 'rejected')),
    decision   TEXT NOT NULL,
    filed_by   TEXT NOT NULL,
    filed_at   BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT,
    version    BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX refund_objection_claim ON refund_objection (city_id, season, account);

-- What concerns a whole stretch of the network: a stop with its determined hours (停热时长认定), a late start, an early end.
-- spread_after is the account up to which the households of the stretch have it.
-- rehu:table refund_area tenant
CREATE TABLE refund_area (
    city_id      INTEGER NOT NULL,
    id           TEXT NOT NULL,
    season       TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('stop', 'late_start', 'early_end', 'exclusion')),
    station      TEXT NOT NULL,
    zone         TEXT NOT NULL,
    community    TEXT NOT NULL,
    building     TEXT NOT NULL,
    from_at      BIGINT NOT NULL,
    to_at        BIGINT,
    unauthorised BOOLEAN,
    reason       TEXT NOT NULL,
    bearer       TEXT NOT NULL,
    evidence     TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('draft', 'determined', 'void')),
    spread_after TEXT NOT NULL,
    spread_done  BOOLEAN NOT NULL,
    reached      BIGINT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    decided_by   TEXT NOT NULL,
    decided_at   BIGINT,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX refund_area_season ON refund_area (city_id, season, id);

-- Who gets the money of a household, where and how. name and bank_account are sealed with the person's key.
-- rehu:table refund_payee tenant
CREATE TABLE refund_payee (
    city_id      INTEGER NOT NULL,
    account      TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('payer', 'holder', 'employer', 'subsidy_office')),
    person       TEXT NOT NULL,
    name         TEXT NOT NULL,
    bank         TEXT NOT NULL,
    bank_account TEXT NOT NULL,
    choice       TEXT NOT NULL CHECK (choice IN ('bank', 'credit')),
    consent      BOOLEAN NOT NULL,
    set_off      BOOLEAN NOT NULL,
    changed_at   BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, account)
);

-- What the contracts of a company say about late refunds: the charge a day, a decimal share of the sum.
-- rehu:table refund_company tenant
CREATE TABLE refund_company (
    city_id   INTEGER NOT NULL,
    company   TEXT NOT NULL,
    late_rate TEXT NOT NULL,
    version   BIGINT NOT NULL,
    PRIMARY KEY (city_id, company)
);

-- One settlement at a time is under way for a season; owner and beat say whose it is.
-- rehu:table settle_head tenant
CREATE TABLE settle_head (
    city_id INTEGER NOT NULL,
    season  TEXT NOT NULL,
    current TEXT NOT NULL,
    run     TEXT NOT NULL,
    owner   TEXT NOT NULL,
    beat    BIGINT NOT NULL,
    PRIMARY KEY (city_id, season)
);

-- after_account is how far assessing, then ordering the payouts, has come.
-- rehu:table settlement tenant
CREATE TABLE settlement (
    city_id       INTEGER NOT NULL,
    id            TEXT NOT NULL,
    no            BIGINT NOT NULL,
    season        TEXT NOT NULL,
    period        TEXT NOT NULL,
    upto          TEXT NOT NULL,
    rule          TEXT NOT NULL,
    mark          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('assessing', 'assessed', 'approved', 'ordered', 'superseded')),
    after_account TEXT NOT NULL,
    claims        BIGINT NOT NULL,
    total         BIGINT NOT NULL,
    provisional   BOOLEAN NOT NULL,
    pay_by        TEXT,
    run_by        TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    assessed_at   BIGINT,
    approved_by   TEXT NOT NULL,
    approved_at   BIGINT,
    note          TEXT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX settlement_season ON settlement (city_id, season, no);

-- amount is what the claim comes to up to the settlement's day; it splits up without a rest.
-- rehu:table settle_line tenant
CREATE TABLE settle_line (
    city_id     INTEGER NOT NULL,
    settlement  TEXT NOT NULL,
    account     TEXT NOT NULL,
    company     TEXT NOT NULL,
    status      TEXT NOT NULL,
    confirmed   BOOLEAN NOT NULL,
    counted     INTEGER NOT NULL,
    amount_fen  BIGINT NOT NULL,
    refused_fen BIGINT NOT NULL,
    prior_fen   BIGINT NOT NULL,
    payable_fen BIGINT NOT NULL CHECK (payable_fen >= 0),
    open_fen    BIGINT NOT NULL CHECK (amount_fen = refused_fen + prior_fen + payable_fen + open_fen),
    PRIMARY KEY (city_id, settlement, account)
);

-- The totals of a settlement by company, written when it becomes seen.
-- rehu:table settle_total tenant
CREATE TABLE settle_total (
    city_id        INTEGER NOT NULL,
    settlement     TEXT NOT NULL,
    company        TEXT NOT NULL,
    claims         BIGINT NOT NULL,
    confirmed      BIGINT NOT NULL,
    not_computable BIGINT NOT NULL,
    counted        BIGINT NOT NULL,
    amount_fen     BIGINT NOT NULL,
    refused_fen    BIGINT NOT NULL,
    prior_fen      BIGINT NOT NULL,
    payable_fen    BIGINT NOT NULL,
    open_fen       BIGINT NOT NULL,
    PRIMARY KEY (city_id, settlement, company)
);

-- One order to pay per household and settlement, which is what keeps money from going out twice.
-- rehu:table payout tenant
CREATE TABLE payout (
    city_id      INTEGER NOT NULL,
    settlement   TEXT NOT NULL,
    account      TEXT NOT NULL,
    season       TEXT NOT NULL,
    company      TEXT NOT NULL,
    bearer       TEXT NOT NULL,
    amount_fen   BIGINT NOT NULL CHECK (amount_fen > 0),
    set_off_fen  BIGINT NOT NULL CHECK (set_off_fen >= 0 AND set_off_fen <= amount_fen),
    method       TEXT NOT NULL CHECK (method IN ('', 'bank', 'credit', 'set_off')),
    payee        TEXT NOT NULL CHECK (payee IN ('', 'payer', 'holder', 'employer', 'subsidy_office')),
    person       TEXT NOT NULL,
    name         TEXT NOT NULL,
    bank         TEXT NOT NULL,
    bank_account TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('due', 'ordered', 'failed', 'unclaimed', 'paid')),
    batch        TEXT NOT NULL,
    reason       TEXT NOT NULL,
    bank_ref     TEXT NOT NULL,
    pay_by       TEXT,
    paid_at      BIGINT,
    excused      TEXT NOT NULL,
    invoice      TEXT NOT NULL CHECK (invoice IN ('open', 'none', 'credit_note', 'discount')),
    invoice_no   TEXT NOT NULL,
    notified_at  BIGINT,
    notice       TEXT NOT NULL,
    told_by      TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (city_id, settlement, account)
);
CREATE INDEX payout_account ON payout (city_id, account, season);
CREATE INDEX payout_open ON payout (city_id, company, state, account) WHERE state <> 'paid';
CREATE INDEX payout_batch ON payout (city_id, batch, settlement, account) WHERE batch <> '';

-- A file for the bank of one company. It can be made again from its rows at any time.
-- rehu:table pay_batch tenant
CREATE TABLE pay_batch (
    city_id     INTEGER NOT NULL,
    id          TEXT NOT NULL,
    no          BIGINT NOT NULL,
    company     TEXT NOT NULL,
    season      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('filling', 'ready', 'answered')),
    rows_n      BIGINT NOT NULL,
    total_fen   BIGINT NOT NULL,
    made_by     TEXT NOT NULL,
    made_at     BIGINT NOT NULL,
    answered_at BIGINT,
    version     BIGINT NOT NULL,
    PRIMARY KEY (city_id, id)
);
CREATE INDEX pay_batch_company ON pay_batch (city_id, season, company, no);

-- +goose Down
DROP TABLE pay_batch;
DROP TABLE payout;
DROP TABLE settle_total;
DROP TABLE settle_line;
DROP TABLE settlement;
DROP TABLE settle_head;
DROP TABLE refund_company;
DROP TABLE refund_payee;
DROP TABLE refund_area;
DROP TABLE refund_objection;
DROP TABLE refund_choice;
DROP TABLE refund_claim;
