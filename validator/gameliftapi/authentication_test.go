package gameliftapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// reservation is a request in JSON that nobody has signed yet.
const reservation = `{"GameSessionId":"match-1","PlayerId":"ann"}`

func newRequest(t *testing.T, url, operation, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "GameLift."+operation)
	return r
}

// signAt signs as Amazon's SDK does.
func signAt(t *testing.T, r *http.Request, at time.Time, key aws.Credentials, body string) *http.Request {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(sum[:]), "gamelift", "eu-central-1", at))
	return r
}

var rightKey = aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}

// answer is what both kinds of answer in JSON have.
type answer struct {
	Type          string `json:"__type"`
	Message       string `json:"message"`
	PlayerSession session.PlayerSession
}

func send(t *testing.T, r *http.Request) (status int, a answer) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "application/x-amz-json-1.1", response.Header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal(body, &a), "%s", body)
	return response.StatusCode, a
}

func TestSignature(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	url := serve(t, table, gameliftapi.Config{Credentials: keys})
	now := time.Now()

	for name, c := range map[string]struct {
		request *http.Request
		message string
	}{
		"unsigned": {newRequest(t, url, "CreatePlayerSession", reservation), "no credentials"},
		"wrong secret": {
			signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), now, aws.Credentials{AccessKeyID: keyID, SecretAccessKey: "other"}, reservation),
			"the signature does not match",
		},
		"unknown key": {
			signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), now, aws.Credentials{AccessKeyID: "AKIDOTHER", SecretAccessKey: secret}, reservation),
			"access key id",
		},
		"six minutes ago": {
			signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), now.Add(-6*time.Minute), rightKey, reservation), "set the clocks",
		},
		"in six minutes": {
			signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), now.Add(6*time.Minute), rightKey, reservation), "set the clocks",
		},
		"another body": {
			signAt(t, newRequest(t, url, "CreatePlayerSession", strings.Replace(reservation, "ann", "eve", 1)), now, rightKey, reservation),
			"the signature does not match",
		},
		"another operation": {changed(t, url, now, func(r *http.Request) { r.Header.Set("X-Amz-Target", "GameLift.TerminateGameSession") }), "does not match"},
		"another time": {changed(t, url, now, func(r *http.Request) {
			r.Header.Set("X-Amz-Date", now.Add(time.Minute).UTC().Format("20060102T150405Z"))
		}), "does not match"},
		"another day": {changed(t, url, now, func(r *http.Request) {
			r.Header.Set("X-Amz-Date", now.AddDate(0, 0, 1).UTC().Format("20060102T150405Z"))
		}), "X-Amz-Date"},
		"no time":           {changed(t, url, now, func(r *http.Request) { r.Header.Del("X-Amz-Date") }), "X-Amz-Date"},
		"another host":      {changed(t, url, now, func(r *http.Request) { r.Host = "example.com" }), "does not match"},
		"a query":           {changed(t, url, now, func(r *http.Request) { r.URL.RawQuery = "x=1" }), "query"},
		"a header unsigned": {changed(t, url, now, func(r *http.Request) { r.Header.Set("X-Amz-Other", "1") }), "must be signed"},
		"the target unsigned": {
			edited(t, url, now, "x-amz-date;x-amz-target", "x-amz-date"), "must be signed",
		},
		"the host unsigned":  {edited(t, url, now, "host;", ""), "Host must be signed"},
		"another service":    {edited(t, url, now, "/gamelift/", "/s3/"), "scope"},
		"another region":     {edited(t, url, now, "eu-central-1", "eu-central-2"), "does not match"},
		"another terminator": {edited(t, url, now, "aws4_request", "aws5_request"), "scope"},
		"no signature":       {edited(t, url, now, "Signature=", "Sig="), "cannot be read"},
		"no hexadecimal":     {edited(t, url, now, "Signature=", "Signature=x"), "cannot be read"},
		"a part too many":    {edited(t, url, now, "Signature=", "Other=1, Signature="), "cannot be read"},
		"a signature cut":    {changed(t, url, now, cutSignature), "cannot be read"},
		"an unsigned body":   {hashed(t, url, now, "UNSIGNED-PAYLOAD"), "unsigned bodies"},
		"a streamed body":    {hashed(t, url, now, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "unsigned bodies"},
		"a bearer token":     {changed(t, url, now, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }), "no credentials"},
		"nothing":            {changed(t, url, now, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256") }), "cannot be read"},
	} {
		status, a := send(t, c.request)
		require.Equal(t, http.StatusBadRequest, status, name)
		require.Equal(t, "UnauthorizedException", a.Type, name)
		require.Contains(t, a.Message, c.message, name)
	}
	require.Zero(t, table.Stats().ReservedTotal)

	for _, skew := range []time.Duration{0, 4 * time.Minute, -4 * time.Minute} {
		r := signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), now.Add(skew), rightKey, reservation)
		status, a := send(t, r)
		require.Equal(t, http.StatusOK, status, "%v: %s", skew, a.Message)
		require.Equal(t, "ann", a.PlayerSession.PlayerID)
	}
	status, a := send(t, hashed(t, url, now, ""))
	require.Equal(t, http.StatusOK, status, a.Message)
}

// changed returns a request that was changed after it was signed.
func changed(t *testing.T, url string, at time.Time, change func(*http.Request)) *http.Request {
	t.Helper()
	r := signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), at, rightKey, reservation)
	change(r)
	return r
}

// edited returns a request whose Authorization was changed after it was signed.
func edited(t *testing.T, url string, at time.Time, from, to string) *http.Request {
	t.Helper()
	return changed(t, url, at, func(r *http.Request) {
		authorization := r.Header.Get("Authorization")
		require.Contains(t, authorization, from)
		r.Header.Set("Authorization", strings.Replace(authorization, from, to, 1))
	})
}

func cutSignature(r *http.Request) {
	authorization := r.Header.Get("Authorization")
	r.Header.Set("Authorization", authorization[:len(authorization)-2])
}

// hashed returns a request that says what the hash of its body is; "": the right one.
func hashed(t *testing.T, url string, at time.Time, hash string) *http.Request {
	t.Helper()
	r := newRequest(t, url, "CreatePlayerSession", reservation)
	if hash == "" {
		sum := sha256.Sum256([]byte(reservation))
		hash = hex.EncodeToString(sum[:])
	}
	r.Header.Set("X-Amz-Content-Sha256", hash)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), rightKey, r, hash, "gamelift", "eu-central-1", at))
	return r
}

func TestPresignedRequest(t *testing.T) {
	t.Parallel()
	url := serve(t, newTable(t, slot.Config{}), gameliftapi.Config{Credentials: keys, BearerToken: "token"})
	r := newRequest(t, url, "CreatePlayerSession", reservation)
	sum := sha256.Sum256([]byte(reservation))
	signed, headers, err := v4.NewSigner().PresignHTTP(t.Context(), rightKey, r, hex.EncodeToString(sum[:]), "gamelift", "eu-central-1", time.Now())
	require.NoError(t, err)
	presigned := newRequest(t, signed, "CreatePlayerSession", reservation)
	maps.Copy(presigned.Header, headers)
	_, a := send(t, presigned)
	require.Equal(t, "UnauthorizedException", a.Type)
}

// A header with spaces inside, and one that is there twice, are signed as AWS says.
func TestSignatureOfOddHeaders(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	url := serve(t, table, gameliftapi.Config{Credentials: keys})
	r := newRequest(t, url, "CreatePlayerSession", reservation)
	r.Header["X-Amz-Meta"] = []string{"a   b", "c"}
	r.Header.Set("X-Amz-Security-Token", "of a role")
	status, a := send(t, signAt(t, r, time.Now(), rightKey, reservation))
	require.Equal(t, http.StatusOK, status, a.Message)
}

// The path that was signed is the one that was sent, not what is left of it.
func TestMountedBelowAPrefix(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 2)
	mux := http.NewServeMux()
	mux.Handle("/game/one/", http.StripPrefix("/game/one", gameliftapi.New(table, gameliftapi.Config{Credentials: keys})))
	server := newServer(t, mux)

	require.NoError(t, reserve(match, "ann")(t.Context(), newClient(server+"/game/one")))
	r := newRequest(t, server+"/game/one/", "CreatePlayerSession", strings.Replace(reservation, "ann", "bob", 1))
	status, a := send(t, signAt(t, r, time.Now(), rightKey, strings.Replace(reservation, "ann", "bob", 1)))
	require.Equal(t, http.StatusOK, status, a.Message)
}

func TestUnauthorizedException(t *testing.T) {
	t.Parallel()
	url := serve(t, newTable(t, slot.Config{}), gameliftapi.Config{Credentials: keys})
	client := newClient(url, func(o *gamelift.Options) { o.Credentials = staticKey{keyID, "other"} })
	var refused *types.UnauthorizedException
	require.ErrorAs(t, reserve(match, "ann")(t.Context(), client), &refused)
}

func TestBearerToken(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	url := serve(t, table, gameliftapi.Config{BearerToken: "open sesame"})
	for _, authorization := range []string{
		"", "Bearer", "Bearer ", "Bearer open", "Bearer open sesame ", "Bearer open sesame!", "open sesame", "Basic open sesame",
	} {
		r := newRequest(t, url, "CreatePlayerSession", reservation)
		r.Header.Set("Authorization", authorization)
		_, a := send(t, r)
		if authorization == "Bearer open sesame " { // HTTP cuts spaces off
			require.Equal(t, "ann", a.PlayerSession.PlayerID)
			continue
		}
		require.Equal(t, "UnauthorizedException", a.Type, authorization)
	}
	_, a := send(t, signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), time.Now(), rightKey, reservation))
	require.Equal(t, "UnauthorizedException", a.Type, "no credentials are configured")

	r := newRequest(t, url, "CreatePlayerSession", reservation)
	r.Header.Set("Authorization", "Bearer open sesame")
	status, _ := send(t, r)
	require.Equal(t, http.StatusOK, status)
}

// Whoever forgets to configure credentials lets nobody in.
func TestNothingConfigured(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	url := serve(t, table, gameliftapi.Config{})
	for _, r := range []*http.Request{
		newRequest(t, url, "CreatePlayerSession", reservation),
		signAt(t, newRequest(t, url, "CreatePlayerSession", reservation), time.Now(), rightKey, reservation),
		changed(t, url, time.Now(), func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }),
	} {
		_, a := send(t, r)
		require.Equal(t, "UnauthorizedException", a.Type)
	}
	require.Zero(t, table.Stats().ReservedTotal)
}

// A key whose secret is empty is no key: anybody could sign with it.
func TestEmptySecret(t *testing.T) {
	t.Parallel()
	url := serve(t, newTable(t, slot.Config{}), gameliftapi.Config{Credentials: func(string) (string, bool) { return "", true }})
	r := newRequest(t, url, "CreatePlayerSession", reservation)
	_, a := send(t, signAt(t, r, time.Now(), aws.Credentials{AccessKeyID: keyID}, reservation))
	require.Equal(t, "UnauthorizedException", a.Type)
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	status, _ := send(t, newRequest(t, serve(t, table, gameliftapi.Config{Anonymous: true}), "CreatePlayerSession", reservation))
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, reserve(match, "ann")(t.Context(), newClient(serve(t, table, gameliftapi.Config{Anonymous: true}))))

	for _, c := range []gameliftapi.Config{
		{Anonymous: true, Credentials: keys},
		{Anonymous: true, BearerToken: "open sesame"},
	} {
		_, a := send(t, newRequest(t, serve(t, table, c), "CreatePlayerSession", reservation))
		require.Equal(t, "UnauthorizedException", a.Type, "what is configured is asked for")
	}
}

// Anonymous is for loopback, whoever serves it where.
func TestAnonymousFromElsewhere(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	handler := gameliftapi.New(table, gameliftapi.Config{Anonymous: true})
	for from, want := range map[string]int{
		"127.0.0.1:5000":          http.StatusOK,
		"127.8.9.1:5000":          http.StatusOK,
		"[::1]:5000":              http.StatusOK,
		"[::ffff:127.0.0.1]:5000": http.StatusOK,
		"10.0.0.1:5000":           http.StatusBadRequest,
		"[2001:db8::1]:5000":      http.StatusBadRequest,
		"[::ffff:10.0.0.1]:5000":  http.StatusBadRequest,
		"0.0.0.0:5000":            http.StatusBadRequest,
		"":                        http.StatusBadRequest,
	} {
		require.Equal(t, want, postFrom(handler, from, "CreatePlayerSession", reservation).Code, from)
	}
}

// A page that a browser shows may not take seats on the machine it is shown on.
func TestAnonymousFromABrowser(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	r := newRequest(t, serve(t, table, gameliftapi.Config{Anonymous: true}), "CreatePlayerSession", reservation)
	r.Header.Set("Origin", "https://example.com")
	_, a := send(t, r)
	require.Equal(t, "UnauthorizedException", a.Type)
	require.Zero(t, table.Stats().ReservedTotal)
}

// A stranger's body is not even read.
func TestStrangersCostNoBody(t *testing.T) {
	t.Parallel()
	url := serve(t, newTable(t, slot.Config{}), gameliftapi.Config{Credentials: keys, BearerToken: "open sesame"})
	for _, authorization := range []string{
		"", "Bearer open", "AWS4-HMAC-SHA256 Credential=AKIDOTHER/20261122/eu-central-1/gamelift/aws4_request, SignedHeaders=host, Signature=" + strings.Repeat("00", 32),
	} {
		reader, writer := io.Pipe() // nothing is ever written
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.MultiReader(bytes.NewReader([]byte("{")), reader))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "GameLift.CreatePlayerSession")
		r.Header.Set("Authorization", authorization)
		_, a := send(t, r)
		require.Equal(t, "UnauthorizedException", a.Type)
		require.NoError(t, writer.Close())
	}
}
