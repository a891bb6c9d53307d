package httpapi

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

// maxBody bounds the body of a merchant's request.
const maxBody = 64 << 10

// field is a text member of a request.
type field[T any] struct {
	name     string
	required bool
	into     func(*T) *string
}

// createFields are all members but metadata. What their values may be is the
// host's to say.
var createFields = []field[host.CreateRequest]{
	{"merchant_order_id", true, func(r *host.CreateRequest) *string { return &r.MerchantOrderID }},
	{"amount", true, func(r *host.CreateRequest) *string { return &r.Amount }},
	{"currency", true, func(r *host.CreateRequest) *string { return &r.Currency }},
	{"method", true, func(r *host.CreateRequest) *string { return &r.Method }},
	{"flow", true, func(r *host.CreateRequest) *string { return &r.Flow }},
	{"description", true, func(r *host.CreateRequest) *string { return &r.Description }},
	{"return_url", false, func(r *host.CreateRequest) *string { return &r.ReturnURL }},
	{"order_group", false, func(r *host.CreateRequest) *string { return &r.OrderGroup }},
	{"provider", false, func(r *host.CreateRequest) *string { return &r.Provider }},
}

var refundFields = []field[host.RefundRequest]{
	{"merchant_refund_id", true, func(r *host.RefundRequest) *string { return &r.MerchantRefundID }},
	{"amount", true, func(r *host.RefundRequest) *string { return &r.Amount }},
	{"reason", false, func(r *host.RefundRequest) *string { return &r.Reason }},
}

const metadataField = "metadata"

// parseCreate reads the request for a payment, strictly: what is misspelt,
// doubled or of another type is refused by name.
func parseCreate(body []byte) (host.CreateRequest, error) {
	var request host.CreateRequest
	members, err := object(body, "")
	if err != nil {
		return request, err
	}
	metadata, there := members[metadataField]
	delete(members, metadataField)
	if err := readFields(members, createFields, &request, metadataField); err != nil {
		return request, err
	}
	if there {
		request.Metadata, err = metadataOf(metadata)
	}
	return request, err
}

func parseRefund(body []byte) (host.RefundRequest, error) {
	var request host.RefundRequest
	members, err := object(body, "")
	if err == nil {
		err = readFields(members, refundFields, &request)
	}
	return request, err
}

// jsonBody returns the body of a request that must be JSON.
func jsonBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := checkContentType(r.Header); err != nil {
		return nil, err
	}
	return readBody(w, r, maxBody)
}

// readFields reads the members of an object into a request. Of others there may
// be only those that the caller has read already.
func readFields[T any](members map[string]jsontext.Value, fields []field[T], request *T, others ...string) error {
	if err := checkNames(members, fields, others); err != nil { // before a misspelt name shows as a missing one
		return err
	}
	for _, f := range fields {
		value, there := members[f.name]
		if !there {
			if f.required {
				return sdk.InvalidField(f.name, "is required")
			}
			continue
		}
		if value.Kind() == 'n' && !f.required {
			return sdk.InvalidField(f.name, "must be a string; leave it out if there is none")
		}
		text, err := stringOf(f.name, value)
		if err != nil {
			return err
		}
		if text == "" && f.required {
			return sdk.InvalidField(f.name, "must not be empty")
		}
		*f.into(request) = text
	}
	return nil
}

func checkNames[T any](members map[string]jsontext.Value, fields []field[T], others []string) error {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.ContainsFunc(fields, func(f field[T]) bool { return f.name == name }) {
			return sdk.InvalidField(name, "is not a field of this request%s; names are lower case and written as in /openapi.json", suggestion(name, fields, others))
		}
	}
	return nil
}

// suggestion helps with a name that is right but for its case.
func suggestion[T any](name string, fields []field[T], others []string) string {
	for _, f := range fields {
		others = append(others, f.name)
	}
	for _, known := range others {
		if strings.EqualFold(known, name) {
			return " (did you mean " + known + "?)"
		}
	}
	return ""
}

// object reads one JSON object and nothing after it. The package is strict:
// doubled names and invalid UTF-8 are errors.
func object(text []byte, name string) (map[string]jsontext.Value, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, sdk.InvalidField(name, "the body is empty; send a JSON object")
	}
	var members map[string]jsontext.Value
	err := json.Unmarshal(text, &members)
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return nil, sdk.InvalidField(fieldOf(name, syntax.JSONPointer), "is not well-formed JSON at byte %d: %s", syntax.ByteOffset, syntax.Err)
	}
	if err != nil || members == nil {
		return nil, sdk.InvalidField(name, "must be one JSON object")
	}
	return members, nil
}

// fieldOf names the place of a syntax error as far as it is known.
func fieldOf(outer string, pointer jsontext.Pointer) string {
	names := slices.Collect(pointer.Tokens())
	if outer != "" {
		names = append([]string{outer}, names...)
	}
	return strings.Join(names, ".")
}

func stringOf(name string, value jsontext.Value) (string, error) {
	if value.Kind() != '"' {
		if name == "amount" && value.Kind() == '0' {
			return "", sdk.InvalidField(name, `must be a string such as "100.00": numbers lose digits on their way`)
		}
		return "", sdk.InvalidField(name, "must be a string")
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", sdk.InvalidField(name, "must be a string")
	}
	return text, nil
}

func metadataOf(value jsontext.Value) (map[string]string, error) {
	if value.Kind() != '{' {
		return nil, sdk.InvalidField(metadataField, "must be an object of strings")
	}
	members, err := object(value, metadataField)
	if err != nil {
		return nil, err
	}
	metadata := make(map[string]string, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if metadata[name], err = stringOf(metadataField+"."+name, members[name]); err != nil {
			return nil, err
		}
	}
	return metadata, nil
}

// checkContentType wants JSON, and UTF-8 if it says an encoding.
func checkContentType(h http.Header) error {
	kind, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	if strings.EqualFold(parameters["charset"], "utf-8") {
		delete(parameters, "charset")
	}
	if h.Get("Content-Encoding") != "" {
		return sdk.NotSent(sdk.CodeUnsupportedMediaType, "send the body as it is, without a Content-Encoding")
	}
	if err != nil || kind != "application/json" || len(parameters) > 0 || len(h.Values("Content-Type")) > 1 {
		return sdk.NotSent(sdk.CodeUnsupportedMediaType, "send Content-Type: application/json, once; its only parameter is charset=utf-8")
	}
	return nil
}

// noBody wants an empty body, or an empty object.
func noBody(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	if text := string(bytes.TrimSpace(body)); text != "" && text != "{}" {
		return sdk.InvalidField("", "this request takes no body")
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if rec, ok := w.(*recorder); ok {
		w = rec.ResponseWriter // by the server's own writer the connection is closed on what is too large
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, sdk.NotSent(sdk.CodeBodyTooLarge, "the body must have at most %d bytes", limit)
	}
	if err != nil {
		return nil, sdk.InvalidField("", "the body could not be read")
	}
	return body, nil
}

// checkIdempotencyKey checks the header's form. It isn't needed yet: the
// merchant_order_id makes the request repeatable by itself.
func checkIdempotencyKey(h http.Header) error {
	values := h.Values("Idempotency-Key")
	if len(values) == 0 {
		return nil
	}
	key := values[0]
	odd := strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if len(values) > 1 || key == "" || len(key) > 255 || odd {
		return sdk.InvalidField("Idempotency-Key", "must be given once and have 1 to 255 printable ASCII characters")
	}
	return nil
}
