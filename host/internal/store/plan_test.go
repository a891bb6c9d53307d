package store

import (
	"context"
	"database/sql"
	"reflect"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// explainer runs nothing: it asks the database how it would.
type explainer struct {
	*sql.DB
	postgres bool
	plans    []string
}

func (e *explainer) explain(ctx context.Context, query string, args []any) error {
	explain := "EXPLAIN QUERY PLAN "
	if e.postgres {
		explain = "EXPLAIN "
	}
	rows, err := e.DB.QueryContext(ctx, explain+query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		columns := []any{&id, &parent, &unused, &detail}
		if e.postgres {
			columns = columns[3:]
		}
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		e.plans = append(e.plans, detail)
	}
	return rows.Err()
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := e.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return e.DB.QueryContext(ctx, "SELECT 1 WHERE 1 = 0")
}

func (e *explainer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	_ = e.explain(ctx, query, args)
	return e.DB.QueryRowContext(ctx, "SELECT 1 WHERE 1 = 0")
}

func (e *explainer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := e.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return e.DB.ExecContext(ctx, "UPDATE payments SET id = id WHERE 1 = 0")
}

// plans says of every query by which index it finds its rows. A merchant has
// millions of payments: what scans or sorts them all is fast in tests only.
var plans = map[string]struct {
	index string // what the plan must name, "" for statements that only insert
	sorts string // why sorting is right
	scans string // why reading all rows is right
}{
	"Payment":                {index: "sqlite_autoindex_payments_1 (id=?)"},
	"PaymentOfMerchant":      {index: "(id=?"},
	"PaymentByMerchantOrder": {index: "payments_merchant_order (merchant=? AND merchant_order_id=?)"},
	"PaymentByAcquirerOrder": {index: "payments_acquirer_order (account=? AND acquirer_order_id=?)"},
	"PaymentBySentOrder":     {index: "sqlite_autoindex_sent_orders_1 (account=? AND merchant_order_id=?)"},
	"ListPayments":           {index: "payments_listed (merchant=? AND id<?)"},
	"ListByStatus":           {index: "payments_status (merchant=? AND status=? AND id<?)"},
	"ListForReview":          {index: "payments_review (merchant=? AND id<?)"},
	"ListGroup":              {index: "payments_group (merchant=? AND order_group=? AND id<?)"},
	"OverduePayments":        {index: "payments_due (due_at>? AND due_at<?)", sorts: "by id what is due at the same time"},
	"UnsettledOf":            {index: "payments_unsettled (provider=?)", sorts: "only what is unsettled"},
	"HeldPayments":           {index: "COVERING INDEX payments_held"},
	"UnsettledByProvider":    {index: "payments_unsettled"},
	"OpenRefundsByProvider":  {index: "refunds_open"},
	"OpenRefundsOf":          {index: "refunds_open (provider=?)", sorts: "only what is open"},
	"ClaimPaidGroup":         {},
	"PaidGroup":              {index: "sqlite_autoindex_paid_groups_1 (merchant=? AND order_group=?)"},
	"UpdatePayment":          {index: "sqlite_autoindex_payments_1 (id=?)"},
	"InsertPayment":          {},
	"InsertSentOrder":        {},
	"SentOrder":              {index: "sqlite_autoindex_sent_orders_1 (account=? AND merchant_order_id=?)"},
	"AppendTimeline":         {index: "sqlite_autoindex_timeline_1 (payment_id=?)"},
	"Timeline":               {index: "sqlite_autoindex_timeline_1 (payment_id=?)"},
	"PutNotification":        {},
	"Notification":           {index: "sqlite_autoindex_notifications_1 (provider=? AND digest=?)"},
	"CountUnparsed":          {index: "COVERING INDEX notifications_unparsed (provider=?)"},
	"OverdueNotifications":   {index: "notifications_due (due_at>? AND due_at<?)", sorts: "as OverduePayments"},
	"DropUnparsed":           {index: "sqlite_autoindex_notifications_1 (provider=? AND digest=?)"},
	"SettleNotification":     {index: "sqlite_autoindex_notifications_1 (provider=? AND digest=?)"},
	"UnmatchedFor":           {index: "notifications_by_acquirer (provider=? AND acquirer_order_id=?)"},
	"MatchNotification":      {index: "sqlite_autoindex_notifications_1 (provider=? AND digest=?)"},
	"ForgetUnmatched":        {index: "notifications_unmatched (received_at<?)"},
	"ForgetRaw":              {index: "notifications_raw (received_at<?)"},
	"InsertHost":             {},
	"BeginCommit":            {index: "sqlite_autoindex_hosts_1 (id=?)"},
	"LastCommit":             {index: "sqlite_autoindex_hosts_1 (id=?)"},
	"Hosts":                  {index: "sqlite_autoindex_hosts_1", scans: "a few hosts"},
	"DeleteHost":             {index: "sqlite_autoindex_hosts_1 (id=?)"},
	"DeleteThisHost":         {index: "sqlite_autoindex_hosts_1 (id=?)"},
	"DeleteOtherHosts":       {index: "hosts", scans: "a few hosts"},
	"InsertRefund":           {},
	"UpdateRefund":           {index: "sqlite_autoindex_refunds_1 (id=?)"},
	"Refund":                 {index: "sqlite_autoindex_refunds_1 (id=?)"},
	"RefundByMerchantID":     {index: "refunds_merchant_refund (merchant=? AND merchant_refund_id=?)"},
	"RefundByAccount":        {index: "refunds_account (account=? AND merchant_refund_id=?)"},
	"RefundByAcquirerID":     {index: "refunds_acquirer (account=? AND acquirer_refund_id=?)", sorts: "two at most"},
	"RefundsOfPayment":       {index: "refunds_payment (payment_id=?)"},
	"ListRefunds":            {index: "refunds_payment (payment_id=? AND id<?)"},
	"OverdueRefunds":         {index: "refunds_due (due_at>? AND due_at<?)", sorts: "as OverduePayments"},
	"HeldRefunds":            {index: "COVERING INDEX refunds_held"},
	"AppendEvent":            {index: "events_sequence (payment_id=?)"},
	"Event":                  {index: "sqlite_autoindex_events_1 (id=?)"},
	"EventOfMerchant":        {index: "(id=?"},
	"ListEvents":             {index: "events_listed (merchant=? AND id<?)"},
	"PutDelivery":            {},
	"Delivery":               {index: "sqlite_autoindex_deliveries_1 (event_id=? AND endpoint=?)"},
	"DeliveriesOf":           {index: "sqlite_autoindex_deliveries_1 (event_id=?)"},
	"SettleDelivery":         {index: "sqlite_autoindex_deliveries_1 (event_id=? AND endpoint=?)"},
	"OverdueDeliveries":      {index: "deliveries_due (due_at>? AND due_at<?)", sorts: "as OverduePayments"},
	"ForgetDeliveries":       {index: "events_created (created_at<?)"},
	"ForgetEvents":           {index: "events_created (created_at<?)"},
	"TakeKey":                {},
	"Key":                    {index: "sqlite_autoindex_idempotency_keys_1 (merchant=? AND path=? AND key=?)"},
	"AnswerKey":              {index: "(merchant=? AND path=? AND key=?)"},
	"DropKey":                {index: "(merchant=? AND path=? AND key=?)"},
	"DropOrphanedKeys":       {index: "idempotency_keys_held"},
	"ForgetKeys":             {index: "idempotency_keys_created (created_at<?)"},
}

func TestPlans(t *testing.T) {
	s := openNew(t)
	eachQuery(t, s.write, false, func(t *testing.T, name, plan string) {
		want, ok := plans[name]
		if !ok {
			t.Fatal("say in the table by which index it finds its rows")
		}
		checkPlan(t, plan, want.index, want.sorts != "", want.scans != "")
	})
}

// PostgreSQL reads empty tables from end to end unless told not to; then it does
// so only for want of an index.
func TestPlansOfPostgres(t *testing.T) {
	onPostgres(t, func(t *testing.T, d database) {
		s := d.open(t)
		s.write.SetMaxOpenConns(1) // the setting is a connection's
		if _, err := s.write.ExecContext(t.Context(), "SET enable_seqscan = off"); err != nil {
			t.Fatal(err)
		}
		eachQuery(t, s.write, true, func(t *testing.T, name, plan string) {
			if plan == "" {
				t.Error("no plan")
			}
			if strings.Contains(plan, "Seq Scan") && plans[name].scans == "" {
				t.Errorf("reads everything:\n%s", plan)
			}
		})
	})
}

// eachQuery tells test of the plan of each query.
func eachQuery(t *testing.T, db *sql.DB, postgres bool, test func(t *testing.T, name, plan string)) {
	queries := reflect.TypeFor[*sqlgen.Queries]()
	for i := range queries.NumMethod() {
		m := queries.Method(i)
		if m.Name == "WithTx" {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			e := &explainer{DB: db, postgres: postgres}
			args := []reflect.Value{reflect.ValueOf(sqlgen.New(e)), reflect.ValueOf(t.Context())}
			for i := 2; i < m.Type.NumIn(); i++ {
				args = append(args, reflect.Zero(m.Type.In(i)))
			}
			m.Func.Call(args)
			test(t, m.Name, strings.Join(e.plans, "\n"))
		})
	}
}

func checkPlan(t *testing.T, plan, index string, sorts, scans bool) {
	t.Helper()
	if index == "" {
		if plan != "" {
			t.Errorf("inserts only, but:\n%s", plan)
		}
		return
	}
	if !strings.Contains(plan, index) {
		t.Errorf("not by %s:\n%s", index, plan)
	}
	for line := range strings.SplitSeq(plan, "\n") {
		if strings.HasPrefix(line, "SCAN") && !partial(line) && !scans {
			t.Errorf("reads everything: %s", line)
		}
		if strings.Contains(line, "TEMP B-TREE") && !sorts {
			t.Errorf("sorts: %s", line)
		}
	}
}

// partial tells of indexes that hold a few rows only, whatever the table does.
func partial(line string) bool {
	return strings.Contains(line, "INDEX payments_unsettled") || strings.Contains(line, "INDEX payments_held") ||
		strings.Contains(line, "INDEX refunds_held") || strings.Contains(line, "INDEX refunds_open") || strings.Contains(line, "INDEX idempotency_keys_held")
}
