package acquirer

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	longestLink = 8192
	longestQR   = 2953 // bytes; no QR code holds more
)

// WebLink reports whether an acquirer's link is an absolute http or https URL: a
// payer's browser can be sent there.
func WebLink(link string) bool {
	u, err := url.Parse(link)
	return err == nil && Printable(link, longestLink) && u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// scripts are schemes that run or hold something in the page that opens them, or
// read from the device.
var scripts = []string{"javascript", "vbscript", "data", "blob", "file", "filesystem", "about"}

// AppLink reports whether an acquirer's link can open an app: a web link, or one
// with a scheme of its own. Name the schemes where the acquirer publishes them.
func AppLink(link string, schemes ...string) bool {
	if WebLink(link) {
		return true
	}
	u, err := url.Parse(link)
	if err != nil || !Printable(link, longestLink) || slices.Contains([]string{"", "http", "https"}, u.Scheme) || slices.Contains(scripts, u.Scheme) {
		return false
	}
	return len(schemes) == 0 || slices.Contains(schemes, u.Scheme)
}

// QRText reports whether a text can be drawn as a QR code.
func QRText(text string) bool { return text != "" && Printable(text, longestQR) }

// Printable reports whether a text has no control character and at most so many
// bytes.
func Printable(text string, most int) bool {
	return len(text) <= most && !strings.ContainsFunc(text, unicode.IsControl)
}
