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
    holder            TEXT   NOT NULL,               -- the host that is calling a plugin about it, '' for none
    sent_at           BIGINT NOT NULL,               -- when Create was last handed to a plugin
    paid_at           BIGINT NOT NULL,
    amount_refunded   TEXT   NOT NULL,               -- padded decimal: the sum of its refunds that have SUCCEEDED
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    due_at            BIGINT NOT NULL,               -- when the host acts on it next
    tries             BIGINT NOT NULL,               -- queries since the last news
    review_reason     TEXT   NOT NULL,
    review_since      BIGINT NOT NULL,
    review_observed   TEXT   NOT NULL,               -- JSON: what the acquirer said instead
    review_decision   TEXT   NOT NULL CHECK (review_decision IN ('','accept','dismiss')) -- '' while it is open
);
CREATE UNIQUE INDEX payments_merchant_order ON payments (merchant, merchant_order_id);
CREATE INDEX payments_acquirer_order ON payments (account, acquirer_order_id, id) WHERE acquirer_order_id <> '';
CREATE INDEX payments_due ON payments (due_at) WHERE due_at > 0;
CREATE INDEX payments_held ON payments (holder, id) WHERE holder <> '';
CREATE INDEX payments_unsettled ON payments (provider, account) WHERE status IN ('CREATED','PENDING','AUTHORIZED','UNKNOWN');
CREATE INDEX payments_listed ON payments (merchant, id);
CREATE INDEX payments_group ON payments (merchant, order_group, id);
CREATE INDEX payments_status ON payments (merchant, status, id);
CREATE INDEX payments_review ON payments (merchant, id) WHERE review_reason <> '' AND review_decision = '';

-- Which attempt uses an order id at an acquirer's account: unique for ever.
CREATE TABLE sent_orders (
    account           TEXT NOT NULL,
    merchant_order_id TEXT NOT NULL,
    payment_id        TEXT NOT NULL REFERENCES payments (id),
    PRIMARY KEY (account, merchant_order_id)
);

-- The first attempt of an order group that was paid: a second one is flagged.
CREATE TABLE paid_groups (
    merchant    TEXT NOT NULL,
    order_group TEXT NOT NULL,
    payment_id  TEXT NOT NULL REFERENCES payments (id),
    PRIMARY KEY (merchant, order_group)
);

-- What happened to a payment, in order. Never changed.
CREATE TABLE timeline (
    payment_id TEXT   NOT NULL REFERENCES payments (id),
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('status','note','review','refund')),
    status     TEXT   NOT NULL,                      -- after this entry
    source     TEXT   NOT NULL,                      -- who said so
    provider   TEXT   NOT NULL,
    raw_status TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    event_id   TEXT   NOT NULL,                      -- the event that tells of it, '' for none
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

-- The paymux processes that serve this database. A process is alive while its
-- beat grows; what a missing one holds is taken over.
CREATE TABLE hosts (
    id         TEXT   NOT NULL PRIMARY KEY,
    beat       BIGINT NOT NULL,
    commit_id  TEXT   NOT NULL,                      -- of its last transaction, to learn what became of a commit
    started_at BIGINT NOT NULL
);

-- Money that goes back. A row reserves its amount from before the acquirer is
-- asked until it has FAILED.
CREATE TABLE refunds (
    id                 TEXT   NOT NULL PRIMARY KEY,
    version            BIGINT NOT NULL,
    payment_id         TEXT   NOT NULL REFERENCES payments (id),
    merchant           TEXT   NOT NULL,
    merchant_refund_id TEXT   NOT NULL,
    request_digest     TEXT   NOT NULL,
    amount             TEXT   NOT NULL,
    currency           TEXT   NOT NULL,
    reason             TEXT   NOT NULL,
    provider           TEXT   NOT NULL,
    account            TEXT   NOT NULL,
    request_id         TEXT   NOT NULL,
    acquirer_refund_id TEXT   NOT NULL,
    status             TEXT   NOT NULL CHECK (status IN ('PENDING','SUCCEEDED','FAILED','UNKNOWN')),
    status_reason      TEXT   NOT NULL,
    error_code         BIGINT NOT NULL,
    raw_status         TEXT   NOT NULL,
    send_state         TEXT   NOT NULL CHECK (send_state IN ('sending','unsent','answered')),
    holder             TEXT   NOT NULL,
    sent_at            BIGINT NOT NULL,
    refunded_at        BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    due_at             BIGINT NOT NULL,
    tries              BIGINT NOT NULL,
    review_reason      TEXT   NOT NULL,
    review_since       BIGINT NOT NULL
);
CREATE UNIQUE INDEX refunds_merchant_refund ON refunds (merchant, merchant_refund_id);
CREATE UNIQUE INDEX refunds_account ON refunds (account, merchant_refund_id);
CREATE INDEX refunds_payment ON refunds (payment_id, id);
CREATE INDEX refunds_acquirer ON refunds (account, acquirer_refund_id) WHERE acquirer_refund_id <> '';
CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at > 0;
CREATE INDEX refunds_open ON refunds (provider, account) WHERE status IN ('PENDING','UNKNOWN');
CREATE INDEX refunds_held ON refunds (holder, id) WHERE holder <> '';

-- What merchants are told, one for each transition.
CREATE TABLE events (
    id         TEXT   NOT NULL PRIMARY KEY,
    merchant   TEXT   NOT NULL,
    payment_id TEXT   NOT NULL REFERENCES payments (id),
    refund_id  TEXT   NOT NULL,
    sequence   BIGINT NOT NULL,                      -- counts the events of a payment
    type       TEXT   NOT NULL,
    data       TEXT   NOT NULL,                      -- JSON: the payment or refund as it was then; '' when forgotten
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX events_sequence ON events (payment_id, sequence);
CREATE INDEX events_listed ON events (merchant, id) WHERE data <> '';
CREATE INDEX events_created ON events (created_at) WHERE data <> '';

-- An event's way to one endpoint.
CREATE TABLE deliveries (
    event_id     TEXT   NOT NULL REFERENCES events (id),
    endpoint     TEXT   NOT NULL,                    -- digest of its URL, which may hold a secret
    state        TEXT   NOT NULL CHECK (state IN ('pending','delivered','given_up')),
    tries        BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    last_status  BIGINT NOT NULL,                    -- HTTP, 0 if there was none
    last_error   TEXT   NOT NULL,
    PRIMARY KEY (event_id, endpoint)
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at > 0;

-- Answers to requests with an Idempotency-Key.
CREATE TABLE idempotency_keys (
    merchant       TEXT   NOT NULL,
    path           TEXT   NOT NULL,
    key            TEXT   NOT NULL,
    request_digest TEXT   NOT NULL,
    holder         TEXT   NOT NULL,                  -- the host that works on it, '' once answered
    status         BIGINT NOT NULL,                  -- HTTP
    content_type   TEXT   NOT NULL,
    location       TEXT   NOT NULL,
    body           TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (merchant, path, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_held ON idempotency_keys (holder) WHERE holder <> '';

-- +goose Down
DROP TABLE idempotency_keys;
DROP TABLE deliveries;
DROP TABLE events;
DROP TABLE refunds;
DROP TABLE hosts;
DROP TABLE notifications;
DROP TABLE timeline;
DROP TABLE paid_groups;
DROP TABLE sent_orders;
DROP TABLE payments;
