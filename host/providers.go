package host

import (
	"context"
	"slices"
	"time"

	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/sdk"
)

// ProviderInfo is what operators and merchants see of a provider.
type ProviderInfo struct {
	Name      string `json:"name"`
	Plugin    string `json:"plugin"`
	Version   string `json:"version,omitempty"`
	Acquirer  string `json:"acquirer,omitempty"`
	Account   string `json:"account,omitempty"`
	Accepting bool   `json:"accepting"`
	// Ready: the plugin runs and holds the config.
	Ready        bool             `json:"ready"`
	Error        string           `json:"error,omitempty"`
	Process      process.Status   `json:"process"`
	Breaker      provider.Breaker `json:"breaker"`
	Instances    int              `json:"instances"` // that share the process
	Capabilities *Abilities       `json:"capabilities,omitempty"`
}

// Abilities are a provider's capabilities in the words of the API.
type Abilities struct {
	Payments                []Ability `json:"payments"`
	Refunds                 bool      `json:"refunds"`
	Cancels                 bool      `json:"cancels"`
	NotifyURL               string    `json:"notify_url"`
	QueryByMerchantOrder    bool      `json:"query_by_merchant_order_id"`
	CreateRetry             string    `json:"create_retry"`
	NotFoundSettlingSeconds float64   `json:"not_found_settling_seconds"`
}

// Ability is a combination that a provider takes.
type Ability struct {
	Method   sdk.Method       `json:"method"`
	Flow     sdk.Flow         `json:"flow"`
	Currency string           `json:"currency"`
	Min      string           `json:"min,omitempty"`
	Max      string           `json:"max,omitempty"`
	Actions  []sdk.ActionType `json:"actions"`
}

// Providers returns the providers that a merchant may use, in the file's order.
// The empty merchant sees all.
func (h *Host) Providers(merchant string) []ProviderInfo {
	all := []ProviderInfo{}
	s := h.now()
	for _, name := range s.names {
		if a := s.accounts[name]; merchant == "" || a.serves(merchant) {
			all = append(all, s.info(a))
		}
	}
	return all
}

// Provider returns one provider.
func (h *Host) Provider(merchant, name string) (ProviderInfo, error) {
	s := h.now()
	a := s.accounts[name]
	if a == nil || merchant != "" && !a.serves(merchant) {
		return ProviderInfo{}, sdk.NotSent(sdk.CodeNotFound, "there is no provider of this name")
	}
	return s.info(a), nil
}

// Authorize proves a provider's credentials to its acquirer and returns until
// when they are known to be good.
func (h *Host) Authorize(ctx context.Context, name string) (time.Time, error) {
	a := h.account(name)
	if a == nil {
		return time.Time{}, sdk.NotSent(sdk.CodeNotFound, "there is no provider of this name")
	}
	grant, err := measure(h, a, "authorize", func() (sdk.Grant, error) { return a.api.Authorize(ctx) })
	return grant.ExpiresAt, err
}

func (s *setup) info(a *account) ProviderInfo {
	d, configured, ready := a.snapshot()
	status := process.Status{State: process.StateStopped}
	if a.process != nil {
		status = a.process.Status()
	}
	info := ProviderInfo{
		Name: a.cfg.Name, Plugin: a.cfg.Plugin, Version: d.Info.Version, Acquirer: d.Info.Acquirer, Account: configured.Account,
		Accepting: a.cfg.Accepting, Ready: ready && status.Running, Process: status, Breaker: a.api.Breaker(), Instances: max(1, s.sharing[a.process]),
	}
	if err := a.failure(); err != nil {
		info.Error = err.Error()
	}
	if !ready {
		return info
	}
	c := d.Capabilities
	info.Capabilities = &Abilities{
		Refunds: configured.Refunds, Cancels: configured.Cancels, NotifyURL: "dashboard", CreateRetry: "none",
		QueryByMerchantOrder: slices.Contains(c.QueryKeys, sdk.QueryByMerchantOrder), NotFoundSettlingSeconds: c.NotFoundSettling.Seconds(),
	}
	if c.NotifyURL == sdk.NotifyURLPerPayment {
		info.Capabilities.NotifyURL = "per_payment"
	}
	if c.CreateRetry.Native {
		info.Capabilities.CreateRetry = "native"
	}
	for _, row := range c.Rows {
		info.Capabilities.Payments = append(info.Capabilities.Payments, Ability{
			Method: row.Method, Flow: row.Flow, Currency: row.Currency, Min: bound(row.Min), Max: bound(row.Max), Actions: row.Actions,
		})
	}
	return info
}

func bound(m sdk.Money) string {
	if m.IsZero() {
		return ""
	}
	return m.AmountString()
}

// failure is why the provider isn't ready.
func (a *account) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}
