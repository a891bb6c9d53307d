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

// field is a member of the request for a payment.
type field struct {
	name     string
	required bool
	into     func(*host.CreateRequest) *string
}

// createFields are all members but metadata. What their values may be is the
// host's to say.
var createFields = []field{
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

const metadataField = "metadata"

// decodeCreate reads the request for a payment, strictly: what is misspelt,
// doubled or of another type is refused by name.
func decodeCreate(w http.ResponseWriter, r *http.Request) (host.CreateRequest, error) {
	if err := checkContentType(r.Header); err != nil {
		return host.CreateRequest{}, err
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return host.CreateRequest{}, err
	}
	return parseCreate(body)
}

func parseCreate(body []byte) (host.CreateRequest, error) {
	var request host.CreateRequest
	members, err := object(body, "")
	if err != nil {
		return request, err
	}
	if err := checkNames(members); err != nil { // before a misspelt name shows as a missing one
		return request, err
	}
	for _, f := range createFields {
		value, there := members[f.name]
		if !there {
			if f.required {
				return request, sdk.InvalidField(f.name, "is required")
			}
			continue
		}
		if value.Kind() == 'n' && !f.required {
			return request, sdk.InvalidField(f.name, "must be a string; leave it out if there is none")
		}
		text, err := stringOf(f.name, value)
		if err != nil {
			return request, err
		}
		if text == "" && f.required {
			return request, sdk.InvalidField(f.name, "must not be empty")
		}
		*f.into(&request) = text
	}
	if value, there := members[metadataField]; there {
		if request.Metadata, err = metadataOf(value); err != nil {
			return request, err
		}
	}
	return request, nil
}

func checkNames(members map[string]jsontext.Value) error {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		known := slices.ContainsFunc(createFields, func(f field) bool { return f.name == name })
		if !known && name != metadataField {
			return sdk.InvalidField(name, "is not a field of this request%s; names are lower case and written as in /openapi.json", suggestion(name))
		}
	}
	return nil
}

// suggestion helps with a name that is right but for its case.
func suggestion(name string) string {
	for _, f := range createFields {
		if strings.EqualFold(f.name, name) {
			return " (did you mean " + f.name + "?)"
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

// decodeReview reads a decision, as strictly as the request for a payment.
func decodeReview(w http.ResponseWriter, r *http.Request) (host.ReviewRequest, error) {
	var request host.ReviewRequest
	if err := checkContentType(r.Header); err != nil {
		return request, err
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return request, err
	}
	members, err := object(body, "")
	if err != nil {
		return request, err
	}
	into := map[string]*string{"decision": &request.Decision, "note": &request.Note}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if into[name] == nil {
			return request, sdk.InvalidField(name, "is not a field of this request; there are decision and note")
		}
		if *into[name], err = stringOf(name, members[name]); err != nil {
			return request, err
		}
	}
	return request, nil // what is missing is empty, which the host refuses by name
}
