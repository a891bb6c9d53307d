package alarm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// River keeps alarms as jobs of River, in the database of the payments.
type River struct {
	driver riverdriver.Driver[*sql.Tx]
	log    *slog.Logger
	insert *river.Client[*sql.Tx] // works nothing: alarms are set before Start and after Stop
	work   *river.Client[*sql.Tx] // nil until Start
	cancel context.CancelFunc
}

var _ Engine = (*River)(nil)

// The times of River, by what was measured: with its own the rate is ten jobs a
// second for each worker, and a job is picked up after up to a second.
const (
	fetchCooldown = time.Millisecond
	fetchPoll     = time.Second
	// jobTimeout is longer than any call of a plugin with its waits; a job of a
	// host that died is rung again soon after. Payments of a dead host don't
	// wait for that: see Host.takeOver.
	jobTimeout    = 90 * time.Second
	rescueAfter   = 2 * time.Minute
	keepCompleted = time.Hour
	maxAttempts   = 1000 // it ends by itself: what it names is no longer due
	longestRetry  = 5 * time.Minute
	shortestRetry = 5 * time.Second
)

// NewRiver returns an engine on a migrated database.
func NewRiver(driver riverdriver.Driver[*sql.Tx], log hclog.Logger) (*River, error) {
	r := &River{driver: driver, log: slog.New(slog.NewTextHandler(
		log.StandardWriter(&hclog.StandardLoggerOptions{ForceLevel: hclog.Warn}), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	var err error
	r.insert, err = river.NewClient(driver, &river.Config{Logger: r.log, MaxAttempts: maxAttempts, SkipUnknownJobCheck: true})
	return r, err
}

// Migrate brings River's own tables up to date.
func Migrate(ctx context.Context, driver riverdriver.Driver[*sql.Tx]) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// job is the part that the kinds share. River stores it as JSON.
type job struct {
	ID string `json:"id"`
}

// River wants a type for each kind.
type (
	paymentJob      struct{ job }
	refundJob       struct{ job }
	notificationJob struct{ job }
	deliveryJob     struct{ job }
)

func (paymentJob) Kind() string      { return string(Payment) }
func (refundJob) Kind() string       { return string(Refund) }
func (notificationJob) Kind() string { return string(Notification) }
func (deliveryJob) Kind() string     { return string(Delivery) }

func (j job) id() string { return j.ID }

func args(a Alarm) river.JobArgs {
	j := job{a.ID}
	switch a.Kind {
	case Payment:
		return paymentJob{j}
	case Refund:
		return refundJob{j}
	case Notification:
		return notificationJob{j}
	default:
		return deliveryJob{j}
	}
}

// Set implements Engine.
func (r *River) Set(ctx context.Context, tx *sql.Tx, alarms []Alarm) error {
	jobs := make([]river.InsertManyParams, len(alarms))
	now := time.Now()
	for i, a := range alarms {
		o := &river.InsertOpts{Queue: a.Queue}
		if a.At.After(now) { // else a worker takes it at once, and not after River's next look at what is scheduled
			o.ScheduledAt = a.At
		}
		jobs[i] = river.InsertManyParams{Args: args(a), InsertOpts: o}
	}
	if _, err := r.insert.InsertManyFastTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("set %d alarms: %w", len(alarms), err)
	}
	return nil
}

// Committed implements Engine. River has told its workers in the transaction.
func (r *River) Committed([]Alarm) {}

// Start implements Engine.
func (r *River) Start(queues map[string]int, ring Ring) error {
	workers := river.NewWorkers()
	add[paymentJob](workers, Payment, ring)
	add[refundJob](workers, Refund, ring)
	add[notificationJob](workers, Notification, ring)
	add[deliveryJob](workers, Delivery, ring)
	served := map[string]river.QueueConfig{}
	for name, n := range queues {
		served[name] = river.QueueConfig{MaxWorkers: n}
	}
	var err error
	r.work, err = river.NewClient(r.driver, &river.Config{
		Logger: r.log, Workers: workers, Queues: served, MaxAttempts: maxAttempts, RetryPolicy: retryPolicy{},
		FetchCooldown: fetchCooldown, FetchPollInterval: fetchPoll, JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter,
		CompletedJobRetentionPeriod: keepCompleted,
	})
	if err != nil {
		return err
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	return r.work.Start(ctx)
}

// Serve implements Engine.
func (r *River) Serve(queues map[string]int) error {
	for name, n := range queues {
		err := r.work.Queues().Add(name, river.QueueConfig{MaxWorkers: n})
		if _, known := errors.AsType[*river.QueueAlreadyAddedError](err); err != nil && !known {
			return fmt.Errorf("serve queue %s: %w", name, err)
		}
	}
	return nil
}

// Stop implements Engine.
func (r *River) Stop(ctx context.Context) error {
	if r.work == nil {
		return nil
	}
	defer r.cancel()
	if err := r.work.Stop(ctx); err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

// worker rings the alarms of one kind.
type worker[T interface {
	river.JobArgs
	id() string
}] struct {
	river.WorkerDefaults[T]
	kind Kind
	ring Ring
}

func add[T interface {
	river.JobArgs
	id() string
}](workers *river.Workers, kind Kind, ring Ring) {
	river.AddWorker(workers, &worker[T]{kind: kind, ring: ring})
}

func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error {
	again, err := w.ring(ctx, Alarm{Kind: w.kind, ID: j.Args.id(), Queue: j.Queue, At: j.ScheduledAt})
	if err != nil {
		return err
	}
	if !again.IsZero() {
		return river.JobSnooze(max(0, time.Until(again)))
	}
	return nil
}

// retryPolicy is for the host's own failures, such as a store that can't be read.
type retryPolicy struct{}

func (retryPolicy) NextRetry(j *rivertype.JobRow) time.Time {
	return time.Now().Add(min(time.Duration(j.Attempt)*shortestRetry, longestRetry))
}
