-- name: TakeKey :execrows
INSERT INTO idempotency_keys (merchant, path, key, request_digest, holder, status, content_type, location, body, created_at)
VALUES ($1, $2, $3, $4, $5, 0, '', '', '', $6) ON CONFLICT (merchant, path, key) DO NOTHING;

-- name: Key :one
SELECT * FROM idempotency_keys WHERE merchant = $1 AND path = $2 AND key = $3;

-- name: AnswerKey :execrows
UPDATE idempotency_keys SET holder = '', status = $1, content_type = $2, location = $3, body = $4
WHERE merchant = $5 AND path = $6 AND key = $7 AND holder = $8;

-- name: DropKey :execrows
DELETE FROM idempotency_keys WHERE merchant = $1 AND path = $2 AND key = $3 AND holder = $4;

-- What a dead host worked on may be asked again: the ids in the request keep it
-- from being done twice.
-- name: DropOrphanedKeys :execrows
DELETE FROM idempotency_keys WHERE holder <> '' AND holder NOT IN (SELECT id FROM hosts);

-- name: ForgetKeys :execrows
DELETE FROM idempotency_keys WHERE created_at < $1;
