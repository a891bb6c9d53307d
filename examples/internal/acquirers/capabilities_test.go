package acquirers

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

var update = flag.Bool("update", false, "write docs/capabilities.md anew")

// plugin is what the built binary says of itself.
type plugin struct {
	Plugin       string         `json:"plugin"`
	Acquirer     string         `json:"acquirer"`
	Capabilities host.Abilities `json:"capabilities"`
}

// The page says what the built plugins say.
func TestCapabilitiesDoc(t *testing.T) {
	const path = "../../../docs/capabilities.md"
	s := newSite(t)
	stdout, stderr, code := s.paymux(t, s.text("", "routes: [{providers: [cbtis]}]\n"), "providers", "list", "--json")
	var plugins []plugin
	if err := json.Unmarshal([]byte(stdout), &plugins); err != nil || code != 0 || len(plugins) != len(Plugins) {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	page := capabilitiesPage(plugins)
	old, err := os.ReadFile(path)
	switch {
	case *update:
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	case err != nil || string(old) != page:
		t.Errorf("docs/capabilities.md is old (%v): go test ./examples/internal/acquirers -run TestCapabilitiesDoc -update", err)
	}
}

const pageHead = `# What each plugin takes

<!-- Generated from what the built plugins say: go test ./examples/internal/acquirers -run TestCapabilitiesDoc -update -->

These are the plugins' own bounds. What your account takes can be less: your contract with the acquirer
decides, and some plugins have a config key to narrow it. ` + "`paymux config check`" + ` holds your routes
against this table, and a payment that no provider of its route takes is 422 ` + "`NO_ROUTE`" + ` before anything is sent.

`

func capabilitiesPage(plugins []plugin) string {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("## Payments\n\nWhich currencies, and the next actions that the payer may get.\n\n")
	payments(&b, plugins)
	b.WriteString("\nBounds of an amount, where the acquirer names any:\n\n")
	bounds(&b, plugins)
	b.WriteString("\n## The rest\n\n")
	rest(&b, plugins)
	b.WriteString(`
- **notify_url** per payment: each order tells the acquirer where to report. Dashboard: enter
  ` + "`public_url` + `/v1/notifications/` + the provider's name" + ` at the acquirer once.
- **query by** both: an order is found by the acquirer's id and by ` + "`merchant_order_id`" + `, so that a lost
  answer to a create is resolved by asking.
- **create_retry** native: after a lost answer the identical request may be sent again, the acquirer
  takes it once. None: paymux only asks.
- **settling**: for so long after a create the acquirer may not find an order that it has. Only after it
  a lost create can be given up.
`)
	return b.String()
}

// payments are the rows of method and flow, with a column for each plugin.
func payments(b *strings.Builder, plugins []plugin) {
	head := []string{"method", "flow"}
	for _, p := range plugins {
		head = append(head, code(p.Plugin))
	}
	table(b, head)
	for _, method := range []sdk.Method{sdk.AlipayHK, sdk.AlipayCN} {
		for _, flow := range []sdk.Flow{sdk.MobileWeb, sdk.WebQR, sdk.StoreQR, sdk.App} {
			cells := []string{code(string(method)), code(string(flow))}
			for _, p := range plugins {
				cells = append(cells, taken(p, method, flow))
			}
			row(b, cells)
		}
	}
}

// taken are the currencies of a plugin, with the actions that they have.
func taken(p plugin, method sdk.Method, flow sdk.Flow) string {
	var texts []string
	currencies := map[string][]string{} // actions → currencies
	for _, a := range p.Capabilities.Payments {
		if a.Method != method || a.Flow != flow {
			continue
		}
		var actions []string
		for _, action := range a.Actions {
			actions = append(actions, code(string(action)))
		}
		text := strings.Join(actions, " ")
		if currencies[text] == nil {
			texts = append(texts, text)
		}
		currencies[text] = append(currencies[text], a.Currency)
	}
	for i, text := range texts {
		texts[i] = strings.Join(currencies[text], " ") + ": " + text
	}
	if len(texts) == 0 {
		return "–"
	}
	return strings.Join(texts, "<br>")
}

func bounds(b *strings.Builder, plugins []plugin) {
	table(b, []string{"plugin", "currency", "least", "most"})
	for _, p := range plugins {
		var seen []string
		for _, a := range p.Capabilities.Payments {
			cells := []string{code(p.Plugin), a.Currency, dash(a.Min), dash(a.Max)}
			if key := fmt.Sprint(cells); (a.Min != "" || a.Max != "") && !slices.Contains(seen, key) {
				seen = append(seen, key)
				row(b, cells)
			}
		}
	}
}

func rest(b *strings.Builder, plugins []plugin) {
	table(b, []string{"plugin", "acquirer", "refund", "cancel", "notify_url", "query by", "create_retry", "settling"})
	for _, p := range plugins {
		c := p.Capabilities
		query := "acquirer's id"
		if c.QueryByMerchantOrder {
			query = "both"
		}
		settling := time.Duration(c.NotFoundSettlingSeconds * float64(time.Second))
		row(b, []string{code(p.Plugin), p.Acquirer, yesNo(c.Refunds), yesNo(c.Cancels), strings.ReplaceAll(c.NotifyURL, "_", " "), query, c.CreateRetry, span(settling)})
	}
}

func table(b *strings.Builder, head []string) {
	row(b, head)
	row(b, slices.Repeat([]string{"---"}, len(head)))
}

func row(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func code(s string) string { return "`" + s + "`" }

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// span writes whole minutes or hours.
func span(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%g min", d.Minutes())
}
