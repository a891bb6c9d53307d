// Package host runs provider plugins, keeps payments, and never loses or doubles
// one. [Open] gives a [Host]; the HTTP API, the command line and a platform's
// own code are thin layers over its methods.
//
// # How a payment goes through this package
//
//	Create    request.go validates, route.go picks the providers,
//	          create.go commits the intent, calls the plugin, commits the answer
//	Query     query.go, called by poll.go on its plan, by Refresh, and after
//	          each notification
//	Notify    notify.go: verify, commit, acknowledge, then Query
//
// What an answer does to a payment is decided in one pure place,
// host/internal/lifecycle, and written in one place, settle.go.
package host
