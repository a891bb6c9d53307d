-- name: InsertPayment :exec
INSERT INTO payments (
    id, version, merchant, merchant_order_id, request_digest, order_group, amount, currency, method, flow,
    description, return_url, metadata, candidates, provider, account, request_id, acquirer_order_id,
    status, status_reason, error_code, raw_status, next_actions, create_state, holder, sent_at, paid_at,
    amount_refunded, created_at, updated_at, due_at, tries, review_reason, review_since, review_observed, review_decision
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
    $11, $12, $13, $14, $15, $16, $17, $18,
    $19, $20, $21, $22, $23, $24, $25, $26,
    $27, $28, $29, $30, $31, $32, $33, $34, $35, $36
);

-- name: UpdatePayment :execrows
UPDATE payments SET
    version = version + 1, provider = $1, account = $2, acquirer_order_id = $3, status = $4, status_reason = $5,
    error_code = $6, raw_status = $7, next_actions = $8, create_state = $9, sent_at = $10, paid_at = $11,
    updated_at = $12, due_at = $13, tries = $14, review_reason = $15, review_since = $16, review_observed = $17,
    holder = $18, review_decision = $19, amount_refunded = $20
WHERE id = $21 AND version = $22;

-- name: Payment :one
SELECT * FROM payments WHERE id = $1;

-- name: PaymentOfMerchant :one
SELECT * FROM payments WHERE id = $1 AND merchant = $2;

-- name: PaymentByMerchantOrder :one
SELECT * FROM payments WHERE merchant = $1 AND merchant_order_id = $2;

-- name: PaymentByAcquirerOrder :many
SELECT * FROM payments WHERE account = $1 AND acquirer_order_id = $2 AND acquirer_order_id <> '' ORDER BY id LIMIT 2;

-- name: PaymentBySentOrder :one
SELECT payments.* FROM payments JOIN sent_orders ON sent_orders.payment_id = payments.id
WHERE sent_orders.account = $1 AND sent_orders.merchant_order_id = $2;

-- Ids begin with pay_, so that none is after 'z': pages without a cursor are
-- found by the same index as those with one.
-- name: ListPayments :many
SELECT * FROM payments
WHERE merchant = sqlc.arg(merchant)
    AND id < COALESCE(NULLIF(CAST(sqlc.arg(before) AS TEXT), ''), 'z')
ORDER BY id DESC
LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: ListByStatus :many
SELECT * FROM payments
WHERE merchant = sqlc.arg(merchant) AND status = sqlc.arg(status)
    AND id < COALESCE(NULLIF(CAST(sqlc.arg(before) AS TEXT), ''), 'z')
ORDER BY id DESC
LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: ListForReview :many
SELECT * FROM payments
WHERE merchant = sqlc.arg(merchant) AND review_reason <> '' AND review_decision = ''
    AND id < COALESCE(NULLIF(CAST(sqlc.arg(before) AS TEXT), ''), 'z')
    AND (status = sqlc.arg(status) OR sqlc.arg(status) = '')
    AND (review_reason = sqlc.arg(review) OR sqlc.arg(review) = 'any')
ORDER BY id DESC
LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: ListGroup :many
SELECT * FROM payments
WHERE merchant = sqlc.arg(merchant) AND order_group = sqlc.arg(order_group)
    AND id < COALESCE(NULLIF(CAST(sqlc.arg(before) AS TEXT), ''), 'z')
    AND (status = sqlc.arg(status) OR sqlc.arg(status) = '')
    AND (sqlc.arg(review) = '' OR (review_decision = '' AND (review_reason = sqlc.arg(review) OR (sqlc.arg(review) = 'any' AND review_reason <> ''))))
ORDER BY id DESC
LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- Whose alarms may have been lost, such as those that a dead host was ringing.
-- name: OverduePayments :many
SELECT id, provider, due_at FROM payments WHERE due_at > 0 AND due_at <= sqlc.arg(now) AND holder = '' ORDER BY due_at, id LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: UnsettledOf :many
SELECT id, provider, due_at FROM payments
WHERE provider = $1 AND status IN ('CREATED','PENDING','AUTHORIZED','UNKNOWN') AND due_at > 0 ORDER BY id;

-- name: HeldPayments :many
SELECT id, holder FROM payments WHERE holder <> '' ORDER BY holder, id;

-- name: UnsettledByProvider :many
SELECT provider, account, COUNT(*) AS payments FROM payments
WHERE status IN ('CREATED','PENDING','AUTHORIZED','UNKNOWN') GROUP BY provider, account ORDER BY provider, account;

-- name: InsertSentOrder :execrows
INSERT INTO sent_orders (account, merchant_order_id, payment_id) VALUES ($1, $2, $3) ON CONFLICT (account, merchant_order_id) DO NOTHING;

-- name: SentOrder :one
SELECT payment_id FROM sent_orders WHERE account = $1 AND merchant_order_id = $2;

-- name: AppendTimeline :exec
INSERT INTO timeline (payment_id, seq, at, kind, status, source, provider, raw_status, detail, event_id)
SELECT CAST(sqlc.arg(payment_id) AS TEXT), COALESCE(MAX(seq), 0) + 1, CAST(sqlc.arg(at) AS BIGINT), CAST(sqlc.arg(kind) AS TEXT),
    CAST(sqlc.arg(status) AS TEXT), CAST(sqlc.arg(source) AS TEXT), CAST(sqlc.arg(provider) AS TEXT),
    CAST(sqlc.arg(raw_status) AS TEXT), CAST(sqlc.arg(detail) AS TEXT), CAST(sqlc.arg(event_id) AS TEXT)
FROM timeline WHERE payment_id = sqlc.arg(payment_id);

-- name: Timeline :many
SELECT * FROM timeline WHERE payment_id = $1 ORDER BY seq;

-- name: ClaimPaidGroup :execrows
INSERT INTO paid_groups (merchant, order_group, payment_id) VALUES ($1, $2, $3) ON CONFLICT (merchant, order_group) DO NOTHING;

-- name: PaidGroup :one
SELECT payment_id FROM paid_groups WHERE merchant = $1 AND order_group = $2;
