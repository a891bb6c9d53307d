package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
	"github.com/paymux/paymux/sdk/schema"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

var configureRules = []rule{
	{ID: "configure/account", Says: "Configure names the account, the same each time.", Check: func(t *rules.T, s *subject) {
		first := s.configured(t, "account")
		for range 3 {
			if again := s.configured(t, "account"); again.GetAccount() != first.GetAccount() {
				t.Errorf("the account is %q, then %q", first.GetAccount(), again.GetAccount())
			}
		}
	}},
	{ID: "configure/schema", Says: "The schema refuses a missing key, an unknown one, and a value of another type.", Check: checkSchema},
	{ID: "configure/wrong", Says: "A config that the host would not have sent is answered as data, INVALID_CONFIG with NOT_SENT where it is refused, and harms nobody.", Check: checkWrong},
	{ID: "configure/many", Says: "One process holds a thousand instances, configured side by side.", Check: checkMany},
	{ID: "configure/abilities", Says: "What Configure says that the provider can't do answers UNIMPLEMENTED with NOT_SENT.", Check: checkAbilities},
	{ID: "configure/secrets", Says: "No secret of a config is printed, logged, or quoted in an answer.", Check: checkSecrets},
}

// configure hands a config to a process, as the host does.
func configure(t *rules.T, p *process.Process, name string, config []byte) (*pb.Configured, error) {
	answer, err := ready(t, p).Configure(t.Context(), &pb.ConfigureRequest{Instance: named(name, config), Config: config})
	if err != nil {
		return nil, err
	}
	return wire.ConfiguredAnswer(answer)
}

// configured configures an instance with the good config.
func (s *subject) configured(t *rules.T, name string) *pb.Configured {
	s.needsConfig(t)
	c, err := configure(t, s.process, name, s.config)
	if err != nil {
		t.Fatalf("Configure: %v", err)
	}
	return c
}

func (s *subject) needsConfig(t *rules.T) {
	if s.config == nil {
		t.Skipf("there is no config: %s", s.why)
	}
}

// variants are configs with one thing wrong each.
func (s *subject) variants(t *rules.T) map[string][]byte {
	with := func(change func(map[string]any)) []byte {
		var object map[string]any
		if err := json.Unmarshal(s.config, &object); err != nil {
			t.Fatalf("the config is no JSON object")
		}
		change(object)
		text, _ := json.Marshal(object) // it was decoded from JSON
		return text
	}
	var root struct {
		Required []string `json:"required"`
	}
	_ = json.Unmarshal([]byte(s.description.ConfigSchema), &root)
	all := map[string][]byte{
		"an unknown key": with(func(o map[string]any) { o["paymux_conformance"] = "x" }),
		"a list":         []byte("[]"), "no JSON": []byte("{"), "nothing": {}, "null": []byte("null"),
	}
	for _, name := range root.Required {
		all["no "+name] = with(func(o map[string]any) { delete(o, name) })
		all["another type as "+name] = with(func(o map[string]any) {
			if _, isObject := o[name].(map[string]any); isObject {
				o[name] = []any{o[name]}
			} else { // a key may allow several types, but hardly this
				o[name] = map[string]any{"paymux_conformance": o[name]}
			}
		})
	}
	return all
}

func checkSchema(t *rules.T, s *subject) {
	s.needsConfig(t)
	parsed, err := schema.Parse(s.description.ConfigSchema)
	if err != nil {
		t.Skipf("the schema can't be read, see describe/schema")
	}
	for _, v := range parsed.Validate(s.config) {
		t.Errorf("the config itself: %s: %s", v.Pointer, v.Message)
	}
	variants := s.variants(t)
	for _, what := range slices.Sorted(maps.Keys(variants)) {
		if len(parsed.Validate(variants[what])) == 0 {
			t.Errorf("a config with %s passes", what)
		}
	}
}

func checkWrong(t *rules.T, s *subject) {
	if s.config == nil {
		s.config = []byte("{}")
		defer func() { s.config = nil }()
	}
	variants := s.variants(t)
	for _, what := range slices.Sorted(maps.Keys(variants)) {
		answer, err := ready(t, s.process).Configure(t.Context(), &pb.ConfigureRequest{Instance: named("wrong", variants[what]), Config: variants[what]})
		if err != nil {
			t.Errorf("%s: the call fails instead of answering: %v", what, err)
			continue
		}
		_, err = wire.ConfiguredAnswer(answer)
		if e := sdk.AsError(err); err != nil && (e.Code != sdk.CodeInvalidConfig || e.Outcome != sdk.OutcomeNotSent) {
			t.Errorf("%s: %s %v", what, e.Outcome, err)
		}
	}
	s.alive(t)
}

func checkMany(t *rules.T, s *subject) {
	s.configured(t, "shop-0")
	const n, atOnce = 1000, 20
	var all sync.WaitGroup
	for worker := range atOnce {
		all.Go(func() {
			for i := worker; i < n; i += atOnce {
				if _, err := configure(t, s.process, fmt.Sprintf("shop-%d", i), s.config); err != nil {
					t.Errorf("instance %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	for _, i := range []int{0, n / 2, n - 1} {
		in := named(fmt.Sprintf("shop-%d", i), s.config)
		answer, err := ready(t, s.process).ParseNotification(t.Context(), &pb.ParseNotificationRequest{Instance: in, Request: &pb.HttpRequest{Method: "POST"}})
		if err != nil || answer.GetError().GetCode() == uint32(sdk.CodeNotConfigured) {
			t.Errorf("instance %d of %d isn't held any more: %v", i, n, err)
		}
	}
	s.alive(t)
}

func checkAbilities(t *rules.T, s *subject) {
	c := s.configured(t, "abilities")
	in := named("abilities", s.config)
	lacks := map[string]bool{"Refund": !c.GetRefunds(), "QueryRefund": !c.GetRefunds(), "Cancel": !c.GetCancels()}
	if c.GetRefunds() && c.GetCancels() {
		t.Skipf("it can do everything")
	}
	service, order, money := ready(t, s.process), someOrder(), wire.MoneyToProto(someMoney())
	check := func(call string, failed *pb.Error, err error) {
		if err != nil || failed.GetCode() != uint32(sdk.CodeUnimplemented) || failed.GetOutcome() != pb.Outcome_OUTCOME_NOT_SENT {
			t.Errorf("%s: %v %v", call, failed, err)
		}
	}
	if lacks["Refund"] {
		r, err := service.Refund(t.Context(), &pb.RefundRequest{Instance: in, Order: order, MerchantRefundId: "r", Amount: money})
		check("Refund", r.GetError(), err)
		q, err := service.QueryRefund(t.Context(), &pb.QueryRefundRequest{Instance: in, Order: order, MerchantRefundId: "r", Amount: money})
		check("QueryRefund", q.GetError(), err)
	}
	if lacks["Cancel"] {
		r, err := service.Cancel(t.Context(), &pb.CancelRequest{Instance: in, Order: order})
		check("Cancel", r.GetError(), err)
	}
}

// checkSecrets looks through the whole log of this run: the other cases have
// configured instances with the same secrets, rightly and wrongly.
func checkSecrets(t *rules.T, s *subject) {
	s.needsConfig(t)
	parsed, err := schema.Parse(s.description.ConfigSchema)
	if err != nil {
		t.Skipf("the schema can't be read, see describe/schema")
	}
	const shortest = 4
	secrets := slices.DeleteFunc(parsed.Secrets(s.config), func(s string) bool { return len(strings.TrimSpace(s)) < shortest })
	if len(secrets) == 0 {
		t.Skipf("the schema marks no secret")
	}
	look := func(where, text string) {
		for _, secret := range secrets {
			inJSON, _ := json.Marshal(secret)
			if strings.Contains(text, secret) || strings.Contains(text, string(inJSON[1:len(inJSON)-1])) {
				t.Errorf("%s holds a secret", where)
			}
		}
	}
	variants := s.variants(t)
	variants["what is right"] = s.config
	for _, what := range slices.Sorted(maps.Keys(variants)) {
		answer, err := ready(t, s.process).Configure(t.Context(), &pb.ConfigureRequest{Instance: named("secrets", variants[what]), Config: variants[what]})
		look("the answer to a config with "+what, fmt.Sprint(answer, err))
	}
	everyCall(t, ready(t, s.process), named("nobody-configured-it", s.config), func(_ *rules.T, call string, failed *pb.Error, err error) {
		look(call, fmt.Sprint(failed, err))
	})
	look("the log", s.log.since(0))
}
