package acquirer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
)

// failed turns an error of the transport into one that says what is sure. The
// text is made of what we know, never of the transport's own: that one can
// quote the URL or bytes that the server sent.
func (ex *exchange) failed(ctx context.Context, err error) *sdk.Error {
	e := &sdk.Error{Code: sdk.CodeAcquirerUnavailable, Outcome: sdk.OutcomeUnknown}
	if !ex.connected.Load() {
		e.Outcome = sdk.OutcomeNotSent
	}
	text, cause := explain(err)
	switch {
	case ctx.Err() != nil:
		// The transport may report the broken read instead of its reason.
		e.Code, e.Err = sdk.CodeAcquirerTimeout, ctx.Err()
		text = "no answer in time"
		if errors.Is(ctx.Err(), context.Canceled) {
			text = "the caller gave up"
		}
	case isTimeout(err):
		e.Code, e.Err, text = sdk.CodeAcquirerTimeout, cause, "no answer in time"
	case ex.answered.Load():
		e.Code, e.Err, text = sdk.CodeAcquirerAnswerInvalid, cause, "its answer is cut short or is no HTTP"
	default:
		e.Err = cause
	}
	e.Message = fmt.Sprintf("%s: %s", ex.target(), text)
	return e
}

// invalid is an answer that can't be used.
func (ex *exchange) invalid(format string, args ...any) *sdk.Error {
	return sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, "%s: %s", ex.target(), fmt.Sprintf(format, args...))
}

// target names the request without what might be secret in it.
func (ex *exchange) target() string {
	u := ex.req.URL
	if u == nil {
		return ex.req.Method
	}
	return ex.req.Method + " " + u.Host + u.EscapedPath()
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// explain finds words for a failure, and the cause if it is one that can't hold
// anything secret.
func explain(err error) (text string, cause error) {
	if difference, ok := errors.AsType[*transcript.Difference](err); ok {
		return difference.Error(), difference
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error(), errno
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed", io.ErrUnexpectedEOF
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host's name can't be resolved", nil
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return explainCertificate(e), nil
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server doesn't speak TLS", nil
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "the TLS handshake failed", nil
	}
	return "the exchange failed", nil
}

func explainCertificate(e *tls.CertificateVerificationError) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](e.Err); ok {
		return "the server's certificate is signed by an unknown authority"
	}
	if _, ok := errors.AsType[x509.HostnameError](e.Err); ok {
		return "the server's certificate is for another host"
	}
	return "the server's certificate is not valid"
}
