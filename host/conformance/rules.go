package conformance

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
	"github.com/paymux/paymux/sdk/schema"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// subject is the binary with what it says of itself, and a config for it.
type subject struct {
	*Binary
	description providertest.Description
	config      []byte // nil: none was given and none could be made
	why         string // there is none
	pid         int    // of the process, as far as the cases have seen it
}

type rule = rules.Rule[*subject]

// Cases returns the ids and rules of Check, for documentation.
func Cases() []providertest.Case {
	var all []providertest.Case
	for _, r := range table() {
		all = append(all, providertest.Case{ID: r.ID, Says: r.Says})
	}
	return all
}

func table() []rule {
	var all []rule
	for _, r := range providertest.DescriptionRules() {
		all = append(all, rule{ID: r.ID, Says: r.Says, Check: func(t *rules.T, s *subject) { r.Check(t, s.description) }})
	}
	return append(append(append(all, processRules...), wireRules...), configureRules...)
}

// Check checks what needs no sandbox. config is that of a working instance, or
// nil: then one is made of the schema, which does for plugins whose keys may have
// any text. only, if not nil, chooses cases by their id; tell, if not nil, hears of
// each result.
func (b *Binary) Check(ctx context.Context, config []byte, only func(id string) bool, tell func(rules.Result)) ([]rules.Result, error) {
	d, err := b.Describe(ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{Binary: b, description: d, config: config, pid: b.process.Status().PID}
	if config == nil {
		s.config, s.why = b.makeConfig(ctx, d)
	}
	chosen := slices.DeleteFunc(table(), func(r rule) bool { return only != nil && !only(r.ID) })
	return rules.Check(ctx, chosen, s, tell), nil
}

var processRules = []rule{
	{ID: "process/handshake", Says: "The plugin shakes hands over mutual TLS on a unix socket, in a protocol that this host speaks, and its health is SERVING.", Check: func(t *rules.T, s *subject) {
		st := s.process.Status()
		if !st.Running || st.Health == nil || !st.Health.OK {
			t.Errorf("it is %s: %s", st.State, st.Error)
		}
		if st.Protocol != wire.Protocol {
			t.Logf("it speaks protocol %d, the newest is %d", st.Protocol, wire.Protocol)
		}
		if !st.Sealed {
			t.Logf("it can't run from a sealed copy of its bytes: %s", st.Unsealed)
		}
	}},
	{ID: "process/name", Says: "The binary is called paymux-provider-NAME with the name that the plugin gives itself.", Check: func(t *rules.T, s *subject) {
		if got, want := filepath.Base(s.path), "paymux-provider-"+s.description.Info.Name; got != want {
			t.Errorf("it is called %s, not %s", got, want)
		}
	}},
	{ID: "process/stdout", Says: "Nothing but the handshake line goes to stdout while the plugin starts.", Check: func(t *rules.T, s *subject) {
		for line := range strings.Lines(s.log.since(0)) {
			if strings.Contains(line, saysStdout) {
				t.Errorf("it prints: %s", cut(strings.TrimSpace(line)))
			}
		}
	}},
	{ID: "process/quiet", Says: "A plugin that has nothing to do logs next to nothing.", Check: func(t *rules.T, s *subject) {
		const most = 50
		if n := strings.Count(s.log.since(0), "\n"); n > most {
			t.Errorf("it logged %d lines when it started and was asked a little", n)
		}
	}},
	{ID: "process/restart", Says: "A plugin that was killed comes up again, and then holds no instance.", Check: checkRestart},
	{ID: "process/stop", Says: "Told to stop, the plugin ends by itself and in time.", Check: checkStop},
}

// NotStarted is how a binary fared that Start refused: nothing else can be asked of it.
func NotStarted(err error) rules.Result {
	r := processRules[0]
	return rules.Result{ID: r.ID, Says: r.Says, Verdict: rules.Fail, Details: []string{err.Error()}}
}

// another starts a second process of the same binary.
func (s *subject) another(t *rules.T) *process.Process {
	p := s.start(&logged{})
	t.Cleanup(p.Stop)
	if err := p.Started(t.Context()); err != nil {
		t.Fatalf("it doesn't start a second time: %v", err)
	}
	return p
}

func checkRestart(t *rules.T, s *subject) {
	p := s.another(t)
	if s.config != nil {
		if _, err := configure(t, p, "restarted", s.config); err != nil {
			t.Fatalf("Configure: %v", err)
		}
	}
	if err := killed(t.Context(), p); err != nil {
		t.Fatalf("after it was killed: %v", err)
	}
	service := ready(t, p)
	answer, err := service.Query(t.Context(), &pb.QueryRequest{Instance: named("restarted", s.config), Order: someOrder()})
	notConfigured(t, "Query", answer.GetError(), err)
}

func checkStop(t *rules.T, s *subject) {
	p := s.another(t)
	begun := time.Now()
	p.Stop()
	took := time.Since(begun)
	exit := p.Status().LastExit
	switch {
	case exit == nil:
		t.Errorf("it still runs")
	case exit.ByHost || exit.Signal != "":
		t.Errorf("it had to be killed after %s: it %s", took.Round(time.Millisecond), exit)
	case exit.Code != 0:
		t.Errorf("it ends with an error: it %s", exit)
	}
}

func cut(s string) string {
	const most = 300
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// canary is what stands for secrets in a config that is made of the schema.
const canary = "paymux-canary-5f1e7c0d"

// makeConfig makes a config of what the schema requires: from its examples and
// defaults, with canaries as secrets. It returns why there is none.
func (b *Binary) makeConfig(ctx context.Context, d providertest.Description) (config []byte, why string) {
	const give = "; give one with --harness"
	s, err := schema.Parse(d.ConfigSchema)
	if err != nil {
		return nil, "the schema can't be read"
	}
	var root struct {
		Required   []string `json:"required"`
		Properties map[string]property
	}
	if err := json.Unmarshal([]byte(d.ConfigSchema), &root); err != nil {
		return nil, "the schema can't be read"
	}
	object := map[string]any{}
	for _, name := range root.Required {
		object[name] = root.Properties[name].value()
	}
	config, err = json.Marshal(object)
	if err != nil {
		return nil, err.Error()
	}
	if wrong := s.Validate(config); len(wrong) > 0 {
		return nil, "no config could be made of the schema (" + wrong[0].Pointer + " " + wrong[0].Message + ")" + give
	}
	if _, err := b.Open(ctx, "made", config); err != nil {
		return nil, "the config that was made of the schema isn't taken (" + err.Error() + ")" + give
	}
	return config, ""
}

type property struct {
	Type      any       `json:"type"`
	Const     any       `json:"const"`
	Default   any       `json:"default"`
	Enum      []any     `json:"enum"`
	Examples  []any     `json:"examples"`
	WriteOnly bool      `json:"writeOnly"`
	Items     *property `json:"items"`
	Min       *int      `json:"minimum"`
}

func (p property) value() any {
	switch {
	case p.WriteOnly && p.Type == "string":
		return canary
	case p.Type == "array" && p.Items != nil:
		return []any{p.Items.value()}
	case p.Const != nil:
		return p.Const
	case p.Default != nil:
		return p.Default
	case len(p.Enum) > 0:
		return p.Enum[0]
	case len(p.Examples) > 0:
		return p.Examples[0]
	case p.Type == "integer", p.Type == "number":
		if p.Min != nil {
			return *p.Min
		}
		return 1
	case p.Type == "boolean":
		return false
	case p.Type == "object":
		return map[string]any{}
	}
	return "conformance"
}
