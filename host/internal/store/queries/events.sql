-- The sequence counts the events of a payment; the payment's row is locked by its update.
-- name: AppendEvent :one
INSERT INTO events (id, merchant, payment_id, refund_id, sequence, type, data, created_at)
SELECT CAST(sqlc.arg(id) AS TEXT), CAST(sqlc.arg(merchant) AS TEXT), CAST(sqlc.arg(payment_id) AS TEXT), CAST(sqlc.arg(refund_id) AS TEXT),
    COALESCE(MAX(sequence), 0) + 1, CAST(sqlc.arg(type) AS TEXT), CAST(sqlc.arg(data) AS TEXT), CAST(sqlc.arg(created_at) AS BIGINT)
FROM events WHERE payment_id = sqlc.arg(payment_id)
RETURNING sequence;

-- name: Event :one
SELECT * FROM events WHERE id = $1;

-- name: EventOfMerchant :one
SELECT * FROM events WHERE id = $1 AND merchant = $2 AND data <> '';

-- Ids begin with evt_, so that none is after 'z'.
-- name: ListEvents :many
SELECT * FROM events WHERE merchant = sqlc.arg(merchant) AND data <> ''
    AND id < COALESCE(NULLIF(CAST(sqlc.arg(before) AS TEXT), ''), 'z')
ORDER BY id DESC LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: PutDelivery :exec
INSERT INTO deliveries (event_id, endpoint, state, tries, due_at, updated_at, last_status, last_error)
VALUES ($1, $2, 'pending', 0, $3, $4, 0, '')
ON CONFLICT (event_id, endpoint) DO UPDATE SET state = 'pending', tries = 0, due_at = excluded.due_at, updated_at = excluded.updated_at;

-- name: Delivery :one
SELECT * FROM deliveries WHERE event_id = $1 AND endpoint = $2;

-- name: DeliveriesOf :many
SELECT * FROM deliveries WHERE event_id = $1 ORDER BY endpoint;

-- name: SettleDelivery :execrows
UPDATE deliveries SET state = $1, tries = tries + 1, due_at = $2, updated_at = $3, last_status = $4, last_error = $5
WHERE event_id = $6 AND endpoint = $7 AND tries = $8;

-- name: OverdueDeliveries :many
SELECT event_id, endpoint, due_at FROM deliveries WHERE due_at > 0 AND due_at <= sqlc.arg(now) ORDER BY due_at, event_id LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- What was told is forgotten; the rows stay, since they count the sequence.
-- name: ForgetDeliveries :execrows
DELETE FROM deliveries WHERE event_id IN (SELECT id FROM events WHERE data <> '' AND created_at < $1);

-- name: ForgetEvents :execrows
UPDATE events SET data = '' WHERE data <> '' AND created_at < $1;
