package cbtistest

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// tokenBytes gives 84 hex digits, as in the documentation's sample.
const tokenBytes = 42

type authData struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
}

// auth issues a token for uid and client_secret.
func (s *Server) auth(c *call) (any, *refusal) {
	if no := s.checkCredentials(c.r.URL.RawQuery); no != nil {
		no.status = s.opt.AuthFailureStatus
		return nil, no
	}
	token := sandbox.RandomHex(tokenBytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Now()
	for old, expiry := range s.db.Tokens {
		if s.opt.SingleToken || !now.Before(expiry) {
			delete(s.db.Tokens, old)
		}
	}
	s.db.Tokens[digest(token)] = now.Add(s.opt.TokenLifetime)
	if err := s.saveLocked(); err != nil {
		return nil, s.unsaved()
	}
	return authData{token, int(s.opt.TokenLifetime / time.Second)}, nil
}

func (s *Server) checkCredentials(rawQuery string) *refusal {
	codes := s.opt.Codes
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return refuse(codes.BadRequest, "the query is malformed")
	}
	for _, name := range []string{"grant_type", "uid", "client_secret"} {
		switch {
		case q.Get(name) == "":
			return refuse(codes.MissingField, "%s is required", name)
		case len(q[name]) > 1:
			return refuse(codes.BadRequest, "%s is given more than once", name)
		}
	}
	if q.Get("grant_type") != "client_credentials" {
		return refuse(codes.UnsupportedGrant, "grant_type must be client_credentials")
	}
	uid := subtle.ConstantTimeCompare([]byte(q.Get("uid")), []byte(s.opt.UID))
	secret := subtle.ConstantTimeCompare([]byte(q.Get("client_secret")), []byte(s.opt.ClientSecret))
	if uid&secret != 1 {
		return refuse(codes.BadCredentials, "uid or client_secret is wrong")
	}
	return nil
}

// authorize checks the bearer token of a business call.
func (s *Server) authorize(r *http.Request) *refusal {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.mu.Lock()
	expiry, known := s.db.Tokens[digest(token)]
	s.mu.Unlock()
	if strings.EqualFold(scheme, "Bearer") && known && s.opt.Now().Before(expiry) {
		return nil
	}
	return &refusal{status: s.opt.AuthFailureStatus, code: s.opt.Codes.Unauthorized,
		message: "the access token is missing, wrong or expired"}
}

// RevokeTokens makes every token issued so far invalid.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.db.Tokens)
	s.saveLocked() // reported in the log
}

func (s *Server) revoke(r *http.Request) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.db.Tokens, digest(token))
	s.saveLocked() // reported in the log
}

func (s *Server) unsaved() *refusal {
	return &refusal{status: http.StatusInternalServerError, code: s.opt.Codes.Internal, message: "the state could not be saved"}
}
