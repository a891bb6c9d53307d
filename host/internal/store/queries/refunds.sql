-- name: InsertRefund :exec
INSERT INTO refunds (
    id, version, payment_id, merchant, merchant_refund_id, request_digest, amount, currency, reason, provider,
    account, request_id, acquirer_refund_id, status, status_reason, error_code, raw_status, send_state, holder, sent_at,
    refunded_at, created_at, updated_at, due_at, tries, review_reason, review_since
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
    $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24, $25, $26, $27
);

-- name: UpdateRefund :execrows
UPDATE refunds SET
    version = version + 1, acquirer_refund_id = $1, status = $2, status_reason = $3, error_code = $4, raw_status = $5,
    send_state = $6, holder = $7, sent_at = $8, refunded_at = $9, updated_at = $10, due_at = $11, tries = $12,
    review_reason = $13, review_since = $14
WHERE id = $15 AND version = $16;

-- name: Refund :one
SELECT * FROM refunds WHERE id = $1;

-- name: RefundByMerchantID :one
SELECT * FROM refunds WHERE merchant = $1 AND merchant_refund_id = $2;

-- name: RefundByAccount :one
SELECT * FROM refunds WHERE account = $1 AND merchant_refund_id = $2;

-- name: RefundByAcquirerID :many
SELECT * FROM refunds WHERE account = $1 AND acquirer_refund_id = $2 AND acquirer_refund_id <> '' ORDER BY id LIMIT 2;

-- name: RefundsOfPayment :many
SELECT * FROM refunds WHERE payment_id = $1 ORDER BY id;

-- Ids begin with ref_, so that none is after 'z'.
-- name: ListRefunds :many
SELECT * FROM refunds WHERE payment_id = sqlc.arg(payment_id)
    AND id < COALESCE(NULLIF(CAST(sqlc.arg(before) AS TEXT), ''), 'z')
ORDER BY id DESC LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: OverdueRefunds :many
SELECT id, provider, due_at FROM refunds WHERE due_at > 0 AND due_at <= sqlc.arg(now) AND holder = '' ORDER BY due_at, id LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: HeldRefunds :many
SELECT id, holder FROM refunds WHERE holder <> '' ORDER BY holder, id;

-- name: OpenRefundsByProvider :many
SELECT provider, account, COUNT(*) AS refunds FROM refunds
WHERE status IN ('PENDING','UNKNOWN') GROUP BY provider, account ORDER BY provider, account;

-- name: OpenRefundsOf :many
SELECT id, provider, due_at FROM refunds
WHERE provider = $1 AND status IN ('PENDING','UNKNOWN') AND due_at > 0 ORDER BY id;
