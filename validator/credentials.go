package validator

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// idPrefix tells an id from what else may stand in its place: another service's
// bearer token, another subprotocol.
const idPrefix = "psess-"

// credentials are the player session ids found in a request.
type credentials []string

// takeCredentials returns the player session id that r shows, and a copy of r
// without it: an id admits its bearer, so it travels no further than the door. It
// is "" if r shows none, or several: which one is meant is not for us to guess.
func takeCredentials(r *http.Request, queryParameter string) (playerSessionID string, rest *http.Request) {
	var found credentials
	rest = r.WithContext(r.Context())
	rest.Header = maps.Clone(r.Header)
	replace(rest.Header, "Authorization", found.takeBearer(r.Header["Authorization"]))
	replace(rest.Header, "Sec-Websocket-Protocol", found.takeSubprotocol(r.Header["Sec-Websocket-Protocol"]))
	if queryParameter != "" {
		found.takeParameter(rest, queryParameter)
	}
	if found = slices.Compact(found); len(found) == 1 {
		playerSessionID = strings.Clone(found[0]) // it may be kept for hours, and is part of what may be long
	}
	return playerSessionID, rest
}

func replace(h http.Header, name string, lines []string) {
	if len(lines) == 0 {
		delete(h, name)
		return
	}
	h[name] = lines
}

// takeBearer returns the lines of an Authorization header that hold no id.
func (c *credentials) takeBearer(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		scheme, token, _ := strings.Cut(line, " ")
		return strings.EqualFold(scheme, "Bearer") && c.take(strings.TrimSpace(token))
	})
}

// takeSubprotocol returns the lines of a Sec-WebSocket-Protocol header without the
// elements that are ids.
func (c *credentials) takeSubprotocol(lines []string) []string {
	var rest []string
	for _, line := range lines {
		others := slices.DeleteFunc(elements(line), c.take)
		if len(others) > 0 {
			rest = append(rest, strings.Join(others, ", "))
		}
	}
	return rest
}

// elements returns the comma-separated elements of a header line.
func elements(line string) []string {
	var all []string
	for e := range strings.SplitSeq(line, ",") {
		if e = strings.TrimSpace(e); e != "" {
			all = append(all, e)
		}
	}
	return all
}

// takeParameter takes the id out of r's URL and of what goes with it.
func (c *credentials) takeParameter(r *http.Request, name string) {
	query := c.takePair(r.URL.RawQuery, name)
	if query == r.URL.RawQuery {
		return
	}
	bare := *r.URL
	bare.RawQuery = query
	r.URL = &bare
	r.Form = nil // who needs it parses it again, from the URL and PostForm

	var again credentials
	path, query, _ := strings.Cut(r.RequestURI, "?") // not always the URL's: handlers before us may have changed that
	r.RequestURI = path
	if query = again.takePair(query, name); query != "" {
		r.RequestURI += "?" + query
	}
}

// takePair returns a query without the pairs that hold an id, the others as they
// were.
func (c *credentials) takePair(query, name string) string {
	pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		k, v, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(k)
		value, valueErr := url.QueryUnescape(v)
		return keyErr == nil && valueErr == nil && key == name && c.take(value)
	})
	return strings.Join(pairs, "&")
}

// take tells whether a text is meant as an id, and then keeps it.
func (c *credentials) take(text string) bool {
	if !strings.HasPrefix(text, idPrefix) {
		return false
	}
	*c = append(*c, text)
	return true
}
