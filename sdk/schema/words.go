package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

const unknownKey = "unknown key"

// violations flattens the library's tree to its leaves, in our own words: the
// library's quote values.
func violations(e *jsonschema.ValidationError, into []Violation) []Violation {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			into = violations(cause, into)
		}
		return into
	}
	at := e.InstanceLocation
	if k, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
		for _, name := range k.Properties { // one each, so that each has its place
			into = append(into, Violation{pointer(append(slices.Clone(at), name)), unknownKey})
		}
		return into
	}
	return append(into, Violation{pointer(at), words(e.ErrorKind)})
}

func words(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Required:
		return "lacks " + quoted(k.Missing)
	case *kind.Type:
		want := make([]string, len(k.Want))
		for i, w := range k.Want {
			want[i] = article(w)
		}
		return fmt.Sprintf("must be %s, not %s", strings.Join(want, " or "), article(k.Got))
	case *kind.Enum:
		return fmt.Sprintf("must be one of %v", k.Want)
	case *kind.Const:
		return fmt.Sprintf("must be %v", k.Want)
	case *kind.Pattern:
		return "must match " + k.Want
	case *kind.Format:
		return "must be a valid " + k.Want
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d entries", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d entries", k.Want)
	case *kind.UniqueItems:
		return "must not have the same entry twice"
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.FalseSchema:
		return "is not allowed"
	case *kind.Not:
		return "is what the plugin's schema rules out"
	default:
		return "breaks the rule " + strings.Join(k.KeywordPath(), "/") + " of the plugin's schema"
	}
}

// article puts "a" or "an" before the name of a JSON type.
func article(name string) string {
	switch {
	case name == "null":
		return name
	case strings.ContainsRune("aio", rune(name[0])): // array, integer, object
		return "an " + name
	default:
		return "a " + name
	}
}
