package gameliftapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature Version 4, as AWS documents it, for the requests there are here: a
// POST without a query, the signature in a header and the body hashed. Presigned
// requests and unsigned bodies are refused.
const (
	algorithm = "AWS4-HMAC-SHA256"
	service   = "gamelift"
	scopeEnd  = "aws4_request"

	dateHeader = "X-Amz-Date"
	hashHeader = "X-Amz-Content-Sha256"
	dateFormat = "20060102T150405Z"
	dayFormat  = "20060102"

	// maxSkew is how far the client's clock may be off, as in AWS.
	maxSkew = 5 * time.Minute
)

// signature is what the Authorization header says.
type signature struct {
	accessKeyID, day, region string

	headers []string // lower case, in the order they were signed
	hmac    []byte
}

// parseSignature reads what follows the algorithm.
func parseSignature(rest string) (*signature, error) {
	parts := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	sum, err := hex.DecodeString(parts["Signature"])
	if len(parts) != 3 || len(scope) != 5 || err != nil || len(sum) != sha256.Size || parts["SignedHeaders"] == "" {
		return nil, &exception{unauthorized, "the Authorization header cannot be read: it needs Credential, SignedHeaders and Signature"}
	}
	if scope[3] != service || scope[4] != scopeEnd {
		return nil, &exception{unauthorized, "the credential scope must end in /" + service + "/" + scopeEnd}
	}
	return &signature{
		accessKeyID: scope[0],
		day:         scope[1],
		region:      scope[2],
		headers:     strings.Split(parts["SignedHeaders"], ";"),
		hmac:        sum,
	}, nil
}

// checkTime refuses what was signed too long ago, or will be.
func (s *signature) checkTime(r *http.Request, now time.Time) error {
	at, err := time.Parse(dateFormat, r.Header.Get(dateHeader))
	if err != nil || at.Format(dayFormat) != s.day {
		return &exception{unauthorized, "X-Amz-Date must be there, such as 20060102T150405Z, and of the day in the credential scope"}
	}
	if now.Sub(at).Abs() > maxSkew {
		return &exception{unauthorized, "signed at " + r.Header.Get(dateHeader) + ", but it is " + now.UTC().Format(dateFormat) +
			" here: set the clocks; they may be 5 minutes apart"}
	}
	return nil
}

// checkHeaders refuses a request of which something that matters is not signed:
// the server it is for, the operation, the time.
func (s *signature) checkHeaders(r *http.Request) error {
	if r.URL.RawQuery != "" {
		return &exception{unauthorized, "a signed request must have no query; presigned ones are not taken"}
	}
	if !slices.Contains(s.headers, "host") {
		return &exception{unauthorized, "the header Host must be signed"}
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(s.headers, lower) {
			return &exception{unauthorized, "every header X-Amz-… must be signed"}
		}
	}
	return nil
}

// verify signs the request anew and compares.
func (s *signature) verify(r *http.Request, body []byte, secret string) error {
	bodyHash := hexHash(body)
	if said := r.Header.Get(hashHeader); said != "" && said != bodyHash {
		return &exception{unauthorized, "X-Amz-Content-Sha256 is not the hash of the body; unsigned bodies are not taken"}
	}
	scope := strings.Join([]string{s.day, s.region, service, scopeEnd}, "/")
	toSign := strings.Join([]string{algorithm, r.Header.Get(dateHeader), scope, hexHash([]byte(s.canonical(r, bodyHash)))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.day, s.region, service, scopeEnd} {
		key = sign(key, part)
	}
	if !hmac.Equal(sign(key, toSign), s.hmac) {
		return &exception{unauthorized, "the signature does not match: the secret access key is another, or the request was changed on the way"}
	}
	return nil
}

// canonical is the request as it is signed. The path is the one that was sent,
// also if the handler is mounted below a prefix of unreserved characters.
func (s *signature) canonical(r *http.Request, bodyHash string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.RequestURI + "\n\n")
	for _, name := range s.headers {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + bodyHash)
	return b.String()
}

// headerValue returns a header as it was sent; net/http keeps two of them apart.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header[textproto.CanonicalMIMEHeaderKey(name)])
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

func sign(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
