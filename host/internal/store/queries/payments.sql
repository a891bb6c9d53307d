-- name: InsertPayment :exec
INSERT INTO payments (
    id, version, merchant, merchant_order_id, request_digest, order_group, amount, currency, method, flow,
    description, return_url, metadata, candidates, provider, account, request_id, acquirer_order_id,
    status, status_reason, error_code, raw_status, next_actions, create_state, sent_at, paid_at,
    created_at, updated_at, due_at, tries, review_reason, review_since, review_observed
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
    $11, $12, $13, $14, $15, $16, $17, $18,
    $19, $20, $21, $22, $23, $24, $25, $26,
    $27, $28, $29, $30, $31, $32, $33
);

-- name: UpdatePayment :execrows
UPDATE payments SET
    version = version + 1, provider = $1, account = $2, acquirer_order_id = $3, status = $4, status_reason = $5,
    error_code = $6, raw_status = $7, next_actions = $8, create_state = $9, sent_at = $10, paid_at = $11,
    updated_at = $12, due_at = $13, tries = $14, review_reason = $15, review_since = $16, review_observed = $17
WHERE id = $18 AND version = $19;

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
WHERE merchant = sqlc.arg(merchant) AND review_reason <> ''
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
    AND (review_reason = sqlc.arg(review) OR sqlc.arg(review) = '' OR (sqlc.arg(review) = 'any' AND review_reason <> ''))
ORDER BY id DESC
LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- Some of each provider, so that one that hangs doesn't keep the others waiting.
-- name: DuePayments :many
SELECT id, provider FROM (
    SELECT id, provider, due_at, ROW_NUMBER() OVER (PARTITION BY provider ORDER BY due_at) AS place
    FROM payments WHERE due_at > 0 AND due_at <= sqlc.arg(now)
) AS due
WHERE place <= CAST(sqlc.arg(page) AS BIGINT) ORDER BY due_at;

-- name: NextDue :one
SELECT CAST(COALESCE(MIN(due_at), 0) AS BIGINT) FROM payments WHERE due_at > 0;

-- name: InterruptedCreates :many
SELECT id FROM payments WHERE create_state = 'sending';

-- name: UnsettledByProvider :many
SELECT provider, account, COUNT(*) AS payments FROM payments
WHERE status IN ('CREATED','PENDING','AUTHORIZED','UNKNOWN') GROUP BY provider, account ORDER BY provider, account;

-- name: InsertSentOrder :execrows
INSERT INTO sent_orders (account, merchant_order_id, payment_id) VALUES ($1, $2, $3) ON CONFLICT (account, merchant_order_id) DO NOTHING;

-- name: SentOrder :one
SELECT payment_id FROM sent_orders WHERE account = $1 AND merchant_order_id = $2;

-- name: AppendTimeline :exec
INSERT INTO timeline (payment_id, seq, at, kind, status, source, provider, raw_status, detail)
SELECT CAST(sqlc.arg(payment_id) AS TEXT), COALESCE(MAX(seq), 0) + 1, CAST(sqlc.arg(at) AS BIGINT), CAST(sqlc.arg(kind) AS TEXT),
    CAST(sqlc.arg(status) AS TEXT), CAST(sqlc.arg(source) AS TEXT), CAST(sqlc.arg(provider) AS TEXT),
    CAST(sqlc.arg(raw_status) AS TEXT), CAST(sqlc.arg(detail) AS TEXT)
FROM timeline WHERE payment_id = sqlc.arg(payment_id);

-- name: Timeline :many
SELECT * FROM timeline WHERE payment_id = $1 ORDER BY seq;
