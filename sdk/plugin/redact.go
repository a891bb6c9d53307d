package plugin

import (
	"strings"

	"github.com/paymux/paymux/sdk/internal/guise"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// redactor takes an instance's secrets out of errors before they leave the
// process: Go's *url.Error prints the URL, and some acquirers put secrets there.
type redactor struct{ replacer *strings.Replacer }

func newRedactor(secrets []string) redactor { return redactor{guise.Replacer(secrets...)} }

func (r redactor) error(e *pb.Error) *pb.Error {
	if e == nil {
		return nil
	}
	e.Message = r.replacer.Replace(e.Message)
	e.Field = r.replacer.Replace(e.Field)
	e.AcquirerCode = r.replacer.Replace(e.AcquirerCode)
	e.AcquirerRequestId = r.replacer.Replace(e.AcquirerRequestId)
	return e
}
