package main

// mutants are the mistakes, by the rule of docs/design.md that they break. Add one
// by giving it a name and the text to replace; each must be caught.
var mutants = []mutant{
	{"the intent is committed after the call", []edit{{
		"host/create.go", "	if err := h.commitIntent(&row); err != nil && !h.committed(row.ID) {",
		"	_, _ = h.callCreate(row)\n	if err := h.commitIntent(&row); err != nil && !h.committed(row.ID) {",
	}}},
	{"Create is sent again after UNKNOWN", []edit{
		{"host/query.go", "return ready && retry.Native &&", "return ready && (retry.Native || true) &&"},
		{"host/query.go", "h.clock.Now().Add(repeatMargin).Before(fromMicros(row.CreatedAt).Add(retry.Window))", "h.life != nil"},
	}},
	{"Create is repeated after the acquirer's window", []edit{{
		"host/query.go", "h.clock.Now().Add(repeatMargin).Before(fromMicros(row.CreatedAt).Add(retry.Window))", "h.life != nil",
	}}},
	{"the next candidate after UNKNOWN", []edit{{
		"host/create.go", "if fl.err.Outcome != sdk.OutcomeNotSent {", "if fl.err.Outcome == sdk.OutcomeRefused {",
	}}},
	{"takeOver lets the payment be sent again instead of asking", []edit{{
		"host/hold.go", "	if p.CreateState == createSending {\n",
		"	if p.CreateState == createSending {\n		p.Holder, p.CreateState, p.DueAt = \"\", createUnsent, micros(h.clock.Now().Add(lifecycle.NeverSentAfter))\n		return nil, nil\n",
	}, {
		"host/hold.go", "	\"errors\"\n", "	\"errors\"\n\n	\"github.com/paymux/paymux/host/internal/lifecycle\"\n",
	}}},
	{"a merchant_order_id is accepted twice at an account", []edit{{
		"host/create.go", "if err != nil || owner == row.ID {", "if err != nil || owner != \"\" {",
	}}},
	{"a lost answer is called a failure", []edit{{
		"host/internal/lifecycle/lifecycle.go", "	default:\n		v.Status, v.Moved = sdk.StatusUnknown, true\n	}\n	return v\n}\n\n// QueryError",
		"	default:\n		v.Status, v.Moved = sdk.StatusFailed, true\n	}\n	return v\n}\n\n// QueryError",
	}}},
	{"NOT_FOUND before the settling time ends a payment", []edit{{
		"host/internal/lifecycle/lifecycle.go", "now.Sub(sentAt) >= max(settling, LeastSettling)", "!now.IsZero()",
	}}},
	{"CREATE_LOST although a next action was handed out", []edit{{
		"host/internal/lifecycle/lifecycle.go", "p.Status == sdk.StatusUnknown && !p.ActionHanded &&", "p.Status == sdk.StatusUnknown &&",
	}}},
	{"a terminal state is overwritten", []edit{
		{"host/internal/lifecycle/lifecycle.go", "	case p.Status.Terminal():\n		v.Believed = false", "	case p.Status == sdk.StatusCreated && answer.Status == sdk.StatusCreated:\n		v.Believed = false"},
		{"host/internal/lifecycle/lifecycle.go", "	case Legal(p.Status, answer.Status):", "	default:"},
	}},
	{"stale ends a payment", []edit{{
		"host/query.go", "	flag(p, lifecycle.Stale, now, noEvidence)", "	p.Status = sdk.StatusExpired.String()",
	}}},
	{"a late success isn't flagged", []edit{{
		"host/internal/lifecycle/lifecycle.go", "		return LateSuccess", "		return \"\"",
	}}},
	{"the amount isn't compared", []edit{{
		"sdk/check.go", "p.Money.Equal(want.Money))", "p.Money.Currency() == want.Money.Currency())",
	}}},
	{"the currency isn't compared", []edit{{
		"sdk/check.go", "p.Money.Equal(want.Money))", "p.Money.Amount().Equal(want.Money.Amount()))",
	}}},
	{"the merchant's order id isn't compared", []edit{{
		"sdk/check.go", "p.MerchantOrderID != \"\", p.MerchantOrderID == want.MerchantOrderID)", "p.MerchantOrderID != \"\", true)",
	}}},
	{"the acquirer's order id isn't compared", []edit{{
		"sdk/check.go", "p.AcquirerOrderID != \"\", p.AcquirerOrderID == want.AcquirerOrderID)", "p.AcquirerOrderID != \"\", true)",
	}}},
	{"a notification moves the state itself", []edit{{
		"host/notify.go", "	p.DueAt, p.Tries, p.UpdatedAt = now, 0, now\n", "	p.DueAt, p.Tries, p.UpdatedAt = now, 0, now\n	p.Status = sdk.StatusSucceeded.String()\n",
	}, {
		"host/notify.go", "[]entry{{kind: kindNote, source: sourceNotification, detail: why}}", "[]entry{{kind: kindStatus, source: sourceNotification, detail: why}}",
	}}},
	{"a notification is acknowledged before it is committed", []edit{{
		"host/notify.go", "	if err := h.commitNotification(a, r, notification, \"\"); err != nil {",
		"	go func() { _ = h.commitNotification(a, r, notification, \"\") }()\n	if err := ctx.Err(); err != nil {",
	}}},
	{"a forged notification is stored", []edit{{
		"host/notify.go", "	case sdk.IsCode(err, sdk.CodeSignatureInvalid):\n", "	case sdk.IsCode(err, sdk.CodeNotFound):\n",
	}}},
	{"a notification during a call is forgotten", []edit{{
		"host/create.go", "	if hinted > 0 && statusOf(*p) != sdk.StatusSucceeded", "	if hinted < 0 && statusOf(*p) != sdk.StatusSucceeded",
	}}},
	{"an event is written twice", []edit{{
		"host/settle.go", "		event, err := h.tell(ctx, tx, p, e)\n", "		_, _ = h.tell(ctx, tx, p, e)\n		event, err := h.tell(ctx, tx, p, e)\n",
	}}},
	{"an answer that can't be stored is dropped", []edit{{
		"host/settle.go", "		case <-h.clock.After(time.Second):\n", "		case <-h.clock.After(time.Second):\n			return\n",
	}}},
	{"the same order id with other values is answered", []edit{{
		"host/create.go", "	if row.RequestDigest != r.digest(money) {", "	if row.RequestDigest != r.digest(money) && row.ID == \"\" {",
	}}},
	{"an open payment loses its alarm", []edit{{
		"host/settle.go", "	if !v.Status.Terminal() {\n		p.DueAt = ", "	if !v.Status.Terminal() && p.Tries < 2 {\n		p.DueAt = ",
	}}},
}
