package stripetest

import (
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// intentJSON is a PaymentIntent on the wire.
type intentJSON struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountReceived int64             `json:"amount_received"`
	Created        int64             `json:"created"`
	Currency       string            `json:"currency"`
	Description    string            `json:"description"`
	LastError      *lastError        `json:"last_payment_error"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	MethodTypes    []string          `json:"payment_method_types"`
	NextAction     *nextAction       `json:"next_action"`
	Status         string            `json:"status"`
}

type lastError struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

type nextAction struct {
	Type   string     `json:"type"`
	Alipay alipayLink `json:"alipay_handle_redirect"`
}

type alipayLink struct {
	NativeData string `json:"native_data"`
	NativeURL  string `json:"native_url"`
	ReturnURL  string `json:"return_url"`
	URL        string `json:"url"`
}

func (s *Server) renderLocked(in *Intent) intentJSON {
	out := intentJSON{
		ID: in.ID, Object: "payment_intent", Amount: in.Amount, Created: in.CreatedAt.Unix(), Currency: in.Currency,
		Description: in.Description, Livemode: s.opt.Live, Metadata: maps.Clone(in.Metadata),
		MethodTypes: []string{"alipay"}, Status: in.Status,
	}
	switch in.Status {
	case Succeeded:
		out.AmountReceived = in.Amount
	case RequiresAction:
		out.NextAction = &nextAction{"alipay_handle_redirect", alipayLink{
			NativeData: "sandbox_native_data_" + in.ID, NativeURL: "alipay://sandbox/?id=" + in.ID,
			ReturnURL: in.ReturnURL, URL: in.Link,
		}}
	}
	if in.Failed {
		out.LastError = &lastError{"invalid_request_error", "payment_intent_payment_attempt_failed", "the payment attempt failed"}
	}
	return out
}

// page is a list on the wire.
type page[T any] struct {
	Object  string `json:"object"`
	URL     string `json:"url"`
	HasMore bool   `json:"has_more"`
	Data    []T    `json:"data"`
}

var searchQuery = regexp.MustCompile(`^metadata\['([A-Za-z0-9_]+)'\]:'([^'\\]*)'$`)

// search looks in an index that lags by Options.SearchLag.
func (s *Server) search(c *call) (any, *refusal) {
	limit, no := readLimit(c, "query")
	if no != nil {
		return nil, no
	}
	terms := searchQuery.FindStringSubmatch(c.form.Get("query"))
	if terms == nil {
		return nil, refuse(http.StatusBadRequest, "", "the query can't be parsed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := page[intentJSON]{Object: "search_result", URL: "/v1/payment_intents/search", Data: []intentJSON{}}
	for i := len(s.intents) - 1; i >= 0; i-- {
		in := s.intents[i]
		if !strings.EqualFold(in.Metadata[terms[1]], terms[2]) || s.opt.Now().Before(in.CreatedAt.Add(s.opt.SearchLag)) {
			continue
		}
		if len(out.Data) == limit {
			out.HasMore = true
			break
		}
		out.Data = append(out.Data, s.renderLocked(in))
	}
	return out, nil
}

// readLimit reads the parameter of lists, 10 by default, and refuses unknown ones.
func readLimit(c *call, known string) (int, *refusal) {
	for name := range c.form {
		if name != known && name != "limit" {
			return 0, refuse(http.StatusBadRequest, "parameter_unknown", "received unknown parameter")
		}
	}
	text := c.form.Get("limit")
	if text == "" {
		return 10, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 100 {
		return 0, refuse(http.StatusBadRequest, "", "the limit must be 1 to 100")
	}
	return n, nil
}

func (s *Server) account(*call) (any, *refusal) {
	return struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}{s.opt.AccountID, "account"}, nil
}
