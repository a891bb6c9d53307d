-- Portable between SQLite and PostgreSQL: TEXT and BIGINT only. Times are
-- microseconds since 1970 UTC, 0 for none; JSON is TEXT. No secret is stored.

-- +goose Up
CREATE TABLE payments (
    id                TEXT   NOT NULL PRIMARY KEY,
    version           BIGINT NOT NULL,               -- counts updates; guards each one
    merchant          TEXT   NOT NULL,
    merchant_order_id TEXT   NOT NULL,
    request_digest    TEXT   NOT NULL,               -- of the merchant's request, to tell a repetition from another
    order_group       TEXT   NOT NULL,
    amount            TEXT   NOT NULL,               -- padded decimal
    currency          TEXT   NOT NULL,
    method            TEXT   NOT NULL,
    flow              TEXT   NOT NULL,
    description       TEXT   NOT NULL,
    return_url        TEXT   NOT NULL,
    metadata          TEXT   NOT NULL,               -- JSON object
    candidates        TEXT   NOT NULL,               -- JSON array of providers, decided once
    provider          TEXT   NOT NULL,               -- the one in use or last tried
    account           TEXT   NOT NULL,               -- its account at the acquirer, for life
    request_id        TEXT   NOT NULL,               -- the acquirer's idempotency key
    acquirer_order_id TEXT   NOT NULL,
    status            TEXT   NOT NULL CHECK (status IN ('CREATED','PENDING','AUTHORIZED','SUCCEEDED','CANCELLED','EXPIRED','FAILED','UNKNOWN')),
    status_reason     TEXT   NOT NULL,
    error_code        BIGINT NOT NULL,               -- sdk.Code of the last error that mattered
    raw_status        TEXT   NOT NULL,
    next_actions      TEXT   NOT NULL,               -- JSON array
    create_state      TEXT   NOT NULL CHECK (create_state IN ('sending','unsent','answered')),
    sent_at           BIGINT NOT NULL,               -- when Create was last handed to a plugin
    paid_at           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    due_at            BIGINT NOT NULL,               -- when the host acts on it next
    tries             BIGINT NOT NULL,               -- queries since the last news
    review_reason     TEXT   NOT NULL,
    review_since      BIGINT NOT NULL,
    review_observed   TEXT   NOT NULL                -- JSON: what the acquirer said instead
);
CREATE UNIQUE INDEX payments_merchant_order ON payments (merchant, merchant_order_id);
CREATE INDEX payments_acquirer_order ON payments (account, acquirer_order_id, id) WHERE acquirer_order_id <> '';
CREATE INDEX payments_due ON payments (due_at) WHERE due_at > 0;
CREATE INDEX payments_sending ON payments (id) WHERE create_state = 'sending';
CREATE INDEX payments_unsettled ON payments (provider, account) WHERE status IN ('CREATED','PENDING','AUTHORIZED','UNKNOWN');
CREATE INDEX payments_listed ON payments (merchant, id);
CREATE INDEX payments_group ON payments (merchant, order_group, id);
CREATE INDEX payments_status ON payments (merchant, status, id);
CREATE INDEX payments_review ON payments (merchant, id) WHERE review_reason <> '';

-- Which attempt uses an order id at an acquirer's account: unique for ever.
CREATE TABLE sent_orders (
    account           TEXT NOT NULL,
    merchant_order_id TEXT NOT NULL,
    payment_id        TEXT NOT NULL REFERENCES payments (id),
    PRIMARY KEY (account, merchant_order_id)
);

-- What happened to a payment, in order. Never changed.
CREATE TABLE timeline (
    payment_id TEXT   NOT NULL REFERENCES payments (id),
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('status','note','review')),
    status     TEXT   NOT NULL,                      -- after this entry
    source     TEXT   NOT NULL,                      -- who said so
    provider   TEXT   NOT NULL,
    raw_status TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    PRIMARY KEY (payment_id, seq)
);

-- Acquirers' notifications. The same bytes from the same provider are one row.
CREATE TABLE notifications (
    provider          TEXT   NOT NULL,
    digest            TEXT   NOT NULL,               -- sha256 of the body
    state             TEXT   NOT NULL CHECK (state IN ('unparsed','matched','unmatched','other','unreadable')),
    received_at       BIGINT NOT NULL,
    request           TEXT   NOT NULL,               -- JSON with headers and body; '' when only the digest is kept
    raw_type          TEXT   NOT NULL,
    merchant_order_id TEXT   NOT NULL,
    acquirer_order_id TEXT   NOT NULL,
    payment_id        TEXT   NOT NULL,
    deliveries        BIGINT NOT NULL,
    due_at            BIGINT NOT NULL,               -- when to try to parse it again
    tries             BIGINT NOT NULL,
    PRIMARY KEY (provider, digest)
);
CREATE INDEX notifications_due ON notifications (due_at) WHERE due_at > 0;
CREATE INDEX notifications_unparsed ON notifications (provider) WHERE state = 'unparsed';
CREATE INDEX notifications_by_merchant ON notifications (provider, merchant_order_id) WHERE state = 'unmatched';
CREATE INDEX notifications_by_acquirer ON notifications (provider, acquirer_order_id) WHERE state = 'unmatched';
CREATE INDEX notifications_unmatched ON notifications (received_at) WHERE state = 'unmatched';
CREATE INDEX notifications_raw ON notifications (received_at) WHERE request <> '';

-- +goose Down
DROP TABLE notifications;
DROP TABLE timeline;
DROP TABLE sent_orders;
DROP TABLE payments;
