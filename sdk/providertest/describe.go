package providertest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
	"github.com/paymux/paymux/sdk/schema"
)

// DescriptionRules are those of what a plugin says of itself. They need neither
// config nor acquirer.
func DescriptionRules() []rules.Rule[Description] {
	return []rules.Rule[Description]{
		{ID: "describe/info", Says: "The plugin has a name as its binary has it, a semantic version and the acquirer's name.", Check: checkInfo},
		{ID: "describe/schema", Says: "The config schema is a closed JSON Schema (2020-12) that marks the account, and marks secrets where they can be found.", Check: checkSchema},
		{ID: "describe/capabilities", Says: "Rows name known methods, flows, currencies and actions, each combination once, with bounds in its currency; there is a way to query.", Check: checkCapabilities},
		{ID: "describe/create_retry", Says: "A plugin whose create_retry is native says for how long the identical request has its effect once.", Check: checkCreateRetry},
	}
}

var describeRules = lift(DescriptionRules())

// lift makes rules of a description rules of the whole subject.
func lift(from []rules.Rule[Description]) []rule {
	var all []rule
	for _, r := range from {
		all = append(all, rule{ID: r.ID, Says: r.Says, Limit: r.Limit, Check: func(t *rules.T, s *subject) { r.Check(t, s.Description) }})
	}
	return all
}

var (
	namePattern    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	versionPattern = regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`)
)

func checkInfo(t *rules.T, d Description) {
	if !namePattern.MatchString(d.Info.Name) {
		t.Errorf("the name %q doesn't match %s", d.Info.Name, namePattern)
	}
	if !versionPattern.MatchString(d.Info.Version) {
		t.Errorf("the version %q is no semantic version such as 1.0.0", d.Info.Version)
	}
	if d.Info.Acquirer == "" {
		t.Errorf("the acquirer has no name")
	}
	if u, err := url.Parse(d.Info.DocsURL); d.Info.DocsURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		t.Errorf("DocsURL %q is no web address", d.Info.DocsURL)
	}
}

func checkSchema(t *rules.T, d Description) {
	if _, err := schema.Parse(d.ConfigSchema); err != nil {
		t.Errorf("%v", err)
	}
}

func checkCapabilities(t *rules.T, d Description) {
	c := d.Capabilities
	if len(c.Rows) == 0 {
		t.Errorf("there are no rows: the plugin could take no payment")
	}
	if len(c.QueryKeys) == 0 {
		t.Errorf("QueryKeys is empty: no payment could be asked about")
	}
	for _, key := range c.QueryKeys {
		if key != sdk.QueryByAcquirerOrder && key != sdk.QueryByMerchantOrder {
			t.Errorf("the query key %d is unheard of", key)
		}
	}
	if c.NotFoundSettling < 0 {
		t.Errorf("NotFoundSettling is negative")
	}
	for _, wait := range c.Polling {
		if wait <= 0 {
			t.Errorf("a wait of the polling plan is %s", wait)
		}
	}
	seen := map[string]bool{}
	for _, row := range c.Rows {
		key := fmt.Sprintf("%s %s %s", row.Method, row.Flow, row.Currency)
		if seen[key] {
			t.Errorf("row %s is there twice", key)
		}
		seen[key] = true
		if err := checkRow(row); err != nil {
			t.Errorf("row %s: %v", key, err)
		}
	}
}

func checkRow(row sdk.Capability) error {
	if !slices.Contains(sdk.Methods(), row.Method) || !slices.Contains(sdk.Flows(), row.Flow) {
		return errors.New("the method or the flow is unheard of")
	}
	if _, ok := sdk.CurrencyExponent(row.Currency); !ok {
		return errors.New("the currency is unheard of")
	}
	for _, bound := range []sdk.Money{row.Min, row.Max} {
		if !bound.IsZero() && (bound.Currency() != row.Currency || !bound.Amount().IsPositive()) {
			return fmt.Errorf("the bound %s must be greater than zero and in %s", bound, row.Currency)
		}
	}
	if cmp, ok := row.Min.Cmp(row.Max); ok && cmp > 0 {
		return errors.New("the field Min is greater than Max")
	}
	if len(row.Actions) == 0 {
		return errors.New("there is no action: what would the payer do?")
	}
	for _, a := range row.Actions {
		if !slices.Contains(sdk.ActionTypes(), a) {
			return fmt.Errorf("the action %q is unheard of", a)
		}
	}
	return nil
}

func checkCreateRetry(t *rules.T, d Description) {
	switch retry := d.Capabilities.CreateRetry; {
	case retry.Native && retry.Window <= 0:
		t.Errorf("it is native, but the window is %s", retry.Window)
	case !retry.Native && retry.Window != 0:
		t.Errorf("the window is %s, but nothing may be sent again", retry.Window)
	}
}
