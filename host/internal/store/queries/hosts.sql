-- name: InsertHost :exec
INSERT INTO hosts (id, beat, commit_id, started_at) VALUES ($1, 0, '', $2);

-- The first statement of each transaction: it fences a host that others took
-- for dead, and names the commit.
-- name: BeginCommit :execrows
UPDATE hosts SET beat = beat + 1, commit_id = $1 WHERE id = $2;

-- It writes, so that it waits for a transaction whose commit is under way.
-- name: LastCommit :one
UPDATE hosts SET beat = beat + 1 WHERE id = $1 RETURNING commit_id;

-- name: Hosts :many
SELECT id, beat FROM hosts ORDER BY id;

-- name: DeleteHost :execrows
DELETE FROM hosts WHERE id = $1 AND beat = $2;

-- name: DeleteThisHost :exec
DELETE FROM hosts WHERE id = $1;

-- name: DeleteOtherHosts :exec
DELETE FROM hosts WHERE id <> $1;
