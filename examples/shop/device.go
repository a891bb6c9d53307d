package main

import (
	"net/http"
	"strings"
)

// The two flows the shop uses: on a phone the wallet opens beside the browser,
// on a desktop the phone's wallet scans a code from the screen.
const (
	flowMobile = "mobile_web"
	flowQR     = "web_qr"
)

// deviceFlow picks the flow that suits the browser. It is only a first guess:
// every page that uses it also offers the other flow.
func deviceFlow(r *http.Request) string {
	if isPhone(r) {
		return flowMobile
	}
	return flowQR
}

// isPhone asks the client hint first, since browsers freeze their User-Agent.
func isPhone(r *http.Request) bool {
	switch r.Header.Get("Sec-CH-UA-Mobile") {
	case "?1":
		return true
	case "?0":
		return false
	}
	agent := r.UserAgent()
	for _, word := range []string{"iPhone", "iPod", "Android", "Mobile", "HarmonyOS"} {
		if strings.Contains(agent, word) {
			return true
		}
	}
	return false
}

// validFlow reports whether the shop offers the flow.
func validFlow(flow string) bool { return flow == flowMobile || flow == flowQR }

// otherFlow is the way out for a shopper on the device we guessed wrong.
func otherFlow(flow string) string {
	if flow == flowMobile {
		return flowQR
	}
	return flowMobile
}
