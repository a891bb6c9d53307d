package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

type routes struct {
	Explain explainCommand `cmd:"" help:"Say where a payment would go, and why. Creates nothing."`
}

type explainCommand struct {
	Method          string `required:"" help:"alipay_hk or alipay_cn."`
	Flow            string `default:"mobile_web" help:"mobile_web, web_qr, store_qr or app."`
	Currency        string `default:"HKD" help:"ISO 4217."`
	Amount          string `default:"100.00" help:"Such as 20.00."`
	Merchant        string `help:"Whose payment. Default: the only merchant of api_keys." placeholder:"NAME"`
	MerchantOrderID string `name:"merchant-order-id" help:"With weights it decides which provider is the first. Default: any." placeholder:"ID"`
	Provider        string `help:"As if the request named this provider." placeholder:"NAME"`
	jsonFlag
}

// Help says more than the one line of the command.
func (explainCommand) Help() string {
	return "Starts each plugin to ask what it takes, but neither the store nor the API: a running host is not disturbed. " +
		"Exit code 0: a provider would be asked; 1: none would."
}

// Run explains.
func (c explainCommand) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	merchant := c.Merchant
	for _, k := range cfg.APIKeys {
		if c.Merchant == "" && merchant != "" && merchant != k.Merchant {
			return usageError("the config has several merchants: say --merchant %s or --merchant %s", merchant, k.Merchant)
		}
		merchant = cmp.Or(c.Merchant, k.Merchant)
	}
	e, err := host.Explain(a.ctx, cfg, merchant, host.CreateRequest{
		MerchantOrderID: cmp.Or(c.MerchantOrderID, "any"), Amount: c.Amount, Currency: c.Currency, Method: c.Method, Flow: c.Flow,
		Description: "routes explain", Provider: c.Provider,
	})
	if bad, ok := errors.AsType[*sdk.Error](err); ok && bad.Code == sdk.CodeInvalidRequest {
		return usageError("%s %s", bad.Field, bad.Message)
	}
	if err != nil {
		return err
	}
	if e.Error != "" {
		err = failed
	}
	if c.JSON {
		return errors.Join(a.printJSON(e), err)
	}
	a.printExplanation(e, c.MerchantOrderID != "")
	return err
}

func (a *app) printExplanation(e host.Explanation, named bool) {
	for _, r := range e.Routes {
		if r.Matches {
			a.printf("routes[%d] (line %d) matches\n", r.Index, r.Line)
		} else {
			a.printf("routes[%d] (line %d) doesn't: %s\n", r.Index, r.Line, r.Because)
		}
	}
	t := newTable(a.stdout, "PROVIDER", "FIRST FOR", "TAKES IT", "BECAUSE")
	for _, p := range e.Providers {
		t.row(p.Name, fmt.Sprintf("%.0f%%", 100*p.Share), yesNo(p.Takes), p.Because)
	}
	t.flush()
	switch {
	case e.Error != "":
		a.printf("no provider would be asked: %s\n", plain(e.Error))
	case named:
		a.printf("tried in this order, the next only if nothing was sent to the one before\n")
	}
}
