package host

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// KeyedRequest is a request with an Idempotency-Key.
type KeyedRequest struct {
	Merchant string
	Path     string // with the merchant, the scope of the key
	Key      string
	Body     []byte
}

// KeyedAnswer is what was answered, to be replayed.
type KeyedAnswer struct {
	Status                int // HTTP
	ContentType, Location string
	Body                  []byte
}

// KeyClaim is the right to work on a KeyedRequest; FinishKey ends it.
type KeyClaim struct {
	request KeyedRequest
	holder  string
	fl      *flight
}

const (
	longestPath = 200         // of those that are kept as they are
	retryKey    = time.Second // while the first request is still running
)

// TakeKey begins a request with an Idempotency-Key, durably: nobody else works
// on it, on whichever host, until FinishKey. If it was answered before it returns
// that answer. The claim of a host that dies is dropped, so that the request can
// be made again: the ids in it keep it from being done twice.
func (h *Host) TakeKey(ctx context.Context, r KeyedRequest) (KeyClaim, *KeyedAnswer, error) {
	if len(r.Path) > longestPath { // an index can't hold it
		r.Path = sha256Hex([]byte(r.Path))
	}
	row, err := h.store.Read().Key(ctx, r.row())
	if err == nil && (row.Holder == "" || row.RequestDigest != sha256Hex(r.Body)) {
		answer, err := r.answered(row)
		return KeyClaim{}, answer, err
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return KeyClaim{}, nil, storeError(err)
	}
	claim := KeyClaim{request: r}
	var mine bool
	if claim.fl, mine = h.flights.take(r.flight()); !mine {
		return KeyClaim{}, nil, stillRunning()
	}
	answer, err := h.claimKey(context.WithoutCancel(ctx), &claim)
	if err != nil || answer != nil {
		h.flights.land(r.flight(), claim.fl)
		return KeyClaim{}, answer, err
	}
	return claim, nil, nil
}

func (h *Host) claimKey(ctx context.Context, c *KeyClaim) (answer *KeyedAnswer, err error) {
	r := c.request
	err = h.store.Update(ctx, func(tx *store.Tx) error {
		answer, c.holder = nil, h.store.Host()
		n, err := tx.TakeKey(ctx, sqlgen.TakeKeyParams{
			Merchant: r.Merchant, Path: r.Path, Key: r.Key, RequestDigest: sha256Hex(r.Body), Holder: c.holder, CreatedAt: micros(h.clock.Now()),
		})
		if err != nil || n == 1 {
			return err
		}
		row, err := tx.Key(ctx, r.row())
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrConflict // it was dropped just now
		}
		if err != nil {
			return err
		}
		if row.Holder == c.holder && row.RequestDigest == sha256Hex(r.Body) {
			return nil // a claim of ours whose commit was thought to have failed: nobody works on it
		}
		answer, err = r.answered(row)
		return err
	})
	if err != nil {
		return nil, storeError(err)
	}
	return answer, nil
}

// FinishKey keeps the answer for those who make the request again. Nil drops the
// claim: what had no effect may be tried again. If the store fails it goes on in
// the background.
func (h *Host) FinishKey(c KeyClaim, answer *KeyedAnswer) {
	err := h.finishKey(c, answer)
	if err == nil || !h.begin() {
		h.flights.land(c.request.flight(), c.fl)
		return
	}
	go func() {
		defer h.work.Done()
		defer h.flights.land(c.request.flight(), c.fl)
		for err != nil {
			h.log.Error("the answer to a request with an Idempotency-Key can't be stored; trying again", "merchant", c.request.Merchant, "error", err)
			select {
			case <-h.clock.After(time.Second):
				err = h.finishKey(c, answer)
			case <-h.life.Done():
				return // the next host drops it
			}
		}
	}()
}

func (h *Host) finishKey(c KeyClaim, answer *KeyedAnswer) error {
	ctx, r := context.WithoutCancel(h.life), c.request
	return h.store.Update(ctx, func(tx *store.Tx) (err error) {
		if answer == nil {
			_, err = tx.DropKey(ctx, sqlgen.DropKeyParams{Merchant: r.Merchant, Path: r.Path, Key: r.Key, Holder: c.holder})
			return err
		}
		_, err = tx.AnswerKey(ctx, sqlgen.AnswerKeyParams{
			Status: int64(answer.Status), ContentType: answer.ContentType, Location: answer.Location, Body: string(answer.Body),
			Merchant: r.Merchant, Path: r.Path, Key: r.Key, Holder: c.holder,
		})
		return err
	})
}

// answered says what became of the first request with the key.
func (r KeyedRequest) answered(row sqlgen.IdempotencyKey) (*KeyedAnswer, error) {
	if row.RequestDigest != sha256Hex(r.Body) {
		e := sdk.NotSent(sdk.CodeIdempotencyMismatch, "was sent with another body before; a new request needs a new key")
		e.Field = "Idempotency-Key"
		return nil, e
	}
	if row.Holder != "" {
		return nil, stillRunning()
	}
	return &KeyedAnswer{Status: int(row.Status), ContentType: row.ContentType, Location: row.Location, Body: []byte(row.Body)}, nil
}

func stillRunning() *sdk.Error {
	e := sdk.NotSent(sdk.CodeInProgress, "the first request with this Idempotency-Key is still running")
	e.RetryAfter = retryKey
	return e
}

func (r KeyedRequest) row() sqlgen.KeyParams {
	return sqlgen.KeyParams{Merchant: r.Merchant, Path: r.Path, Key: r.Key}
}

// flight names the request among the flights; an id of another kind has no space.
func (r KeyedRequest) flight() string { return "key " + r.Merchant + " " + r.Path + " " + r.Key }

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
