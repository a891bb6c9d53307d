package cbtistest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// database is everything that outlives a restart. The exported part is the state
// file; the maps are indexes into it.
type database struct {
	Version int                  `json:"version"`
	UID     string               `json:"uid"`
	Orders  []*Order             `json:"orders"`
	Tokens  map[string]time.Time `json:"tokens"` // SHA-256 of the token: expiry
	Pending []*pendingNotice     `json:"pending_notifications"`
	NoticeN int64                `json:"notification_seq"`

	byID       map[string]*Order
	byMerchant map[string]*Order // the newest one with that merchant order id
	refunds    map[string]refundRef
	byRefund   map[string]refundRef // by merchant refund id
}

// refundRef finds a refund inside its order, whose slice may be reallocated.
type refundRef struct {
	order *Order
	index int
}

func (r refundRef) get() *Refund { return &r.order.Refunds[r.index] }

const stateVersion = 1

func (d *database) reindex() {
	d.byID, d.byMerchant = map[string]*Order{}, map[string]*Order{}
	d.refunds, d.byRefund = map[string]refundRef{}, map[string]refundRef{}
	if d.Tokens == nil {
		d.Tokens = map[string]time.Time{}
	}
	for _, o := range d.Orders {
		d.index(o)
		for i := range o.Refunds {
			d.indexRefund(o, i)
		}
	}
}

func (d *database) index(o *Order) {
	d.byID[o.ID], d.byMerchant[o.MerchantOrderID] = o, o
}

func (d *database) indexRefund(o *Order, i int) {
	ref := refundRef{o, i}
	d.refunds[o.Refunds[i].ID], d.byRefund[o.Refunds[i].MerchantRefundID] = ref, ref
}

// findLocked looks up an order by either id; an order id goes first.
func (s *Server) findLocked(id string) *Order {
	o := s.db.byID[id]
	if o == nil {
		o = s.db.byMerchant[id]
	}
	if o != nil {
		s.expireLocked(o)
	}
	return o
}

// load reads the state file, if there is one.
func (s *Server) load() error {
	defer s.db.reindex()
	s.db.Version, s.db.UID = stateVersion, s.opt.UID
	if s.opt.StateFile == "" {
		return nil
	}
	data, err := os.ReadFile(s.opt.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cbtistest: reading the state: %w", err)
	}
	var d database
	if err := json.Unmarshal(data, &d, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("cbtistest: state file %s: %w", s.opt.StateFile, err)
	}
	if d.Version != stateVersion || d.UID != s.opt.UID {
		return fmt.Errorf("cbtistest: state file %s is of version %d and uid %s, not of version %d and uid %s",
			s.opt.StateFile, d.Version, d.UID, stateVersion, s.opt.UID)
	}
	s.db = d
	return nil
}

// resumeLocked takes up what a previous process left unfinished.
func (s *Server) resumeLocked() {
	for _, n := range s.db.Pending {
		s.scheduleLocked(n)
	}
	for _, o := range s.db.Orders {
		for i := range o.Refunds {
			s.scheduleSettleLocked(&o.Refunds[i])
		}
	}
}

// saveLocked makes the present state durable. It is called before an answer
// leaves, as a real acquirer commits before it answers.
func (s *Server) saveLocked() error {
	if s.opt.StateFile == "" {
		return nil
	}
	data, err := json.Marshal(&s.db, json.Deterministic(true), jsontext.WithIndent("  "))
	if err == nil {
		err = replaceFile(s.opt.StateFile, data)
	}
	if err != nil {
		s.opt.Logger.Error("the state was not saved", "error", err)
		return fmt.Errorf("cbtistest: saving the state: %w", err)
	}
	return nil
}

// replaceFile swaps in new contents such that a crash leaves the old or the new.
func replaceFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing left to remove
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// newIDLocked returns an unused id such as C991289984923795789123.
func (s *Server) newIDLocked() string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(21), nil)
	for {
		n, _ := rand.Int(rand.Reader, limit) // crypto/rand never fails
		id := fmt.Sprintf("C%021d", n)
		_, refund := s.db.refunds[id]
		if s.db.byID[id] == nil && !refund {
			return id
		}
	}
}

// digest is what the state file holds of a token.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
