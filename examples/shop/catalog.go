package main

import "github.com/shopspring/decimal"

// Product is something on the shelf.
type Product struct {
	SKU    string
	Name   string
	Blurb  string
	Detail string
	Price  decimal.Decimal // in currency
}

// currency is what the shop charges in; AlipayHK and Alipay take HKD.
const currency = "HKD"

// maxQuantity bounds one order.
const maxQuantity = 9

var catalog = []Product{
	{
		SKU: "puerh", Name: "Aged Pu-erh", Detail: "2014 harvest, 100 g tin", Price: decimal.RequireFromString("168.00"),
		Blurb: "Deep, smooth and earthy. A decade in a dry warehouse, and it shows.",
	},
	{
		SKU: "tieguanyin", Name: "Tieguanyin Oolong", Detail: "Charcoal roast, 75 g pouch", Price: decimal.RequireFromString("128.00"),
		Blurb: "Rolled by hand and roasted over longan wood. Orchid first, honey after.",
	},
	{
		SKU: "gaiwan", Name: "Porcelain Gaiwan", Detail: "120 ml, lid and saucer", Price: decimal.RequireFromString("88.50"),
		Blurb: "Thin enough to glow in the light, thick enough for a daily brew.",
	},
}

// findProduct looks an SKU up. Prices come from here, never from a form.
func findProduct(sku string) (Product, bool) {
	for _, p := range catalog {
		if p.SKU == sku {
			return p, true
		}
	}
	return Product{}, false
}

// Wallet is a way to pay that the shop offers.
type Wallet struct {
	Method string // paymux's name of it
	Name   string // the shopper's name of it
	Note   string
}

// wallets are both shown: an AlipayHK acceptance needs an AlipayHK button and
// an Alipay button side by side, since the two apps can't pay for each other.
var wallets = []Wallet{
	{Method: "alipay_hk", Name: "AlipayHK", Note: "Hong Kong wallet"},
	{Method: "alipay_cn", Name: "Alipay", Note: "Mainland China wallet"},
}

// findWallet looks a payment method up.
func findWallet(method string) (Wallet, bool) {
	for _, w := range wallets {
		if w.Method == method {
			return w, true
		}
	}
	return Wallet{}, false
}

// walletName is a method in the shopper's words.
func walletName(method string) string {
	if w, ok := findWallet(method); ok {
		return w.Name
	}
	return method
}
