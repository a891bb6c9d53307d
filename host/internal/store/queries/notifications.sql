-- name: PutNotification :exec
INSERT INTO notifications (
    provider, digest, state, received_at, request, raw_type, merchant_order_id, acquirer_order_id, payment_id, deliveries, due_at, tries
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, 0)
ON CONFLICT (provider, digest) DO UPDATE SET
    deliveries = notifications.deliveries + 1,
    state = excluded.state, raw_type = excluded.raw_type, merchant_order_id = excluded.merchant_order_id,
    acquirer_order_id = excluded.acquirer_order_id, payment_id = excluded.payment_id, due_at = excluded.due_at;

-- name: Notification :one
SELECT * FROM notifications WHERE provider = $1 AND digest = $2;

-- name: CountUnparsed :one
SELECT COUNT(*) FROM notifications WHERE provider = $1 AND state = 'unparsed';

-- name: OverdueNotifications :many
SELECT provider, digest, due_at FROM notifications WHERE due_at > 0 AND due_at <= sqlc.arg(now) ORDER BY due_at, digest LIMIT CAST(sqlc.arg(page) AS BIGINT);

-- name: SettleNotification :exec
UPDATE notifications SET state = $1, due_at = $2, tries = tries + 1 WHERE provider = $3 AND digest = $4;

-- name: UnmatchedFor :many
SELECT m.* FROM notifications AS m
WHERE m.state = 'unmatched' AND m.provider = sqlc.arg(provider) AND m.merchant_order_id = sqlc.arg(merchant_order_id) AND m.merchant_order_id <> ''
UNION ALL
SELECT a.* FROM notifications AS a
WHERE a.state = 'unmatched' AND a.provider = sqlc.arg(provider) AND a.acquirer_order_id = sqlc.arg(acquirer_order_id) AND a.acquirer_order_id <> ''
    AND (a.merchant_order_id <> sqlc.arg(merchant_order_id) OR a.merchant_order_id = ''); -- else it is above already

-- name: DropUnparsed :exec
DELETE FROM notifications WHERE provider = $1 AND digest = $2 AND state = 'unparsed';

-- name: MatchNotification :exec
UPDATE notifications SET state = 'matched', payment_id = $1 WHERE provider = $2 AND digest = $3;

-- name: ForgetUnmatched :execrows
DELETE FROM notifications WHERE state = 'unmatched' AND received_at < $1;

-- name: ForgetRaw :execrows
UPDATE notifications SET request = '' WHERE request <> '' AND state <> 'unparsed' AND received_at < $1;
