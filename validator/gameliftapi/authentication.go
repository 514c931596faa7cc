package gameliftapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// authenticate refuses what it can without the body, and returns what has to be
// asked once it is there.
func (c *Config) authenticate(r *http.Request) (verify func(body []byte) error, err error) {
	if c.Anonymous && c.Credentials == nil && c.BearerToken == "" && fromHere(r) {
		return func([]byte) error { return nil }, nil
	}
	authorization := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(authorization, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer") && c.BearerToken != "":
		if !equal(rest, c.BearerToken) {
			return nil, &exception{unauthorized, "the bearer token is not the one that is expected here"}
		}
		return func([]byte) error { return nil }, nil
	case scheme == algorithm && c.Credentials != nil:
		return c.authenticateSignature(r, rest)
	}
	return nil, &exception{unauthorized, "the request carries no credentials that are taken here"}
}

// fromHere tells whether a program on this machine sent the request. A browser may
// have sent it for a page from anywhere: that says Origin.
func fromHere(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback() && r.Header.Get("Origin") == ""
}

// equal takes the same time wherever the texts differ, and however long they are.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (c *Config) authenticateSignature(r *http.Request, rest string) (verify func(body []byte) error, err error) {
	s, err := parseSignature(rest)
	if err != nil {
		return nil, err
	}
	if err := s.checkTime(r, time.Now()); err != nil {
		return nil, err
	}
	if err := s.checkHeaders(r); err != nil {
		return nil, err
	}
	secret, ok := c.Credentials(s.accessKeyID)
	if !ok || secret == "" { // anybody can sign with none
		return nil, &exception{unauthorized, "the access key id is not known here"}
	}
	return func(body []byte) error { return s.verify(r, body, secret) }, nil
}
