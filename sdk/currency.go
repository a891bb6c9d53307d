package sdk

import "strings"

// CurrencyExponent returns how many decimals a currency has by ISO 4217: 2 for
// HKD, 0 for JPY, 3 for BHD. It is false for anything that is not an active
// code in upper case.
func CurrencyExponent(code string) (decimals int, ok bool) {
	if len(code) != 3 {
		return 0, false
	}
	for decimals, codes := range exponents {
		// Codes stand apart by a blank, so a code can't match across two.
		if !strings.ContainsAny(code, " ") && strings.Contains(codes, code) {
			return decimals, true
		}
	}
	return 0, false
}

// exponents has the active ISO 4217 codes by their number of decimals. Funds and
// units of account (CLF, CHE, USN and the like), metals and testing codes are
// left out: nobody pays a shop with them.
var exponents = [...]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
	1: "",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK " +
		"DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT " +
		"LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN " +
		"QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS " +
		"VED VES WST XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
}
