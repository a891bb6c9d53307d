package acquirer

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
)

// The limits of [DecodeJSON].
const (
	maxJSONBytes = DefaultMaxBody
	maxJSONDepth = 32
)

// DecodeJSON reads one JSON value. Members that into doesn't know are ignored,
// since acquirers add some; anything ambiguous is refused: a member named
// twice, another case, invalid UTF-8, something after the value. So is what is
// larger than 1 MiB or nested deeper than 32.
//
// The error is [sdk.CodeAcquirerAnswerInvalid] with an unknown outcome; its
// text quotes nothing of what was read.
func DecodeJSON(data []byte, into any) error {
	if len(data) > maxJSONBytes {
		return sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, "JSON larger than %d bytes", maxJSONBytes)
	}
	if err := checkDepth(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, "JSON of another shape than expected")
	}
	return nil
}

// checkDepth reads all tokens, which checks the syntax as well.
func checkDepth(data []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		_, err := decoder.ReadToken()
		switch {
		case errors.Is(err, io.EOF) && len(bytes.TrimSpace(data)) > 0:
			return nil // json.Unmarshal sees to there being just one value
		case err != nil:
			return sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, "not well-formed JSON (near byte %d)", decoder.InputOffset())
		case decoder.StackDepth() > maxJSONDepth:
			return sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, "JSON nested deeper than %d", maxJSONDepth)
		}
	}
}

// Text is a JSON string, or the digits of a JSON number exactly as written: an
// amount never goes through a float. Anything else reads as empty, so that a
// member which decides nothing can't spoil an answer that does.
type Text string

// UnmarshalJSON reads a string's value or a number's digits.
func (t *Text) UnmarshalJSON(raw []byte) error {
	*t = ""
	switch value := jsontext.Value(raw); value.Kind() {
	case '"':
		s, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return err
		}
		*t = Text(s)
	case '0':
		*t = Text(raw)
	}
	return nil
}
