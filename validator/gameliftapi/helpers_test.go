package gameliftapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	fleet  = "fleet-local"
	match  = "match-1"
)

// keys knows one secret.
func keys(accessKeyID string) (string, bool) { return secret, accessKeyID == keyID }

// everything allows all operations to whoever holds the secret.
func everything() gameliftapi.Config {
	return gameliftapi.Config{Credentials: keys, Operations: gameliftapi.Operations()}
}

func newTable(t *testing.T, c slot.Config) *slot.Table {
	t.Helper()
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	return table
}

// newMatch enters match, with so many seats.
func newMatch(t *testing.T, table *slot.Table, seats int) {
	t.Helper()
	require.NoError(t, table.CreateGameSession(session.GameSession{
		GameSessionID:             match,
		Name:                      "the match",
		IPAddress:                 "10.0.0.7",
		DNSName:                   "seven.example.com",
		Port:                      7777,
		MaximumPlayerSessionCount: seats,
	}))
}

// serve serves a table and returns its URL.
func serve(t *testing.T, table *slot.Table, c gameliftapi.Config) string {
	t.Helper()
	return newServer(t, gameliftapi.New(table, c))
}

func newServer(t *testing.T, handler http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// staticKey is an access key id and its secret.
type staticKey [2]string

// Retrieve returns the key.
func (k staticKey) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: k[0], SecretAccessKey: k[1]}, nil
}

// newClient returns Amazon's client, which does not try again.
func newClient(url string, change ...func(*gamelift.Options)) *gamelift.Client {
	options := gamelift.Options{
		BaseEndpoint: &url,
		Region:       "eu-central-1",
		Retryer:      aws.NopRetryer{},
		Credentials:  staticKey{keyID, secret},
	}
	return gamelift.New(options, change...)
}

// post asks a handler in JSON, without a socket, from loopback.
func post(handler http.Handler, operation, body string) *httptest.ResponseRecorder {
	return postFrom(handler, "127.0.0.1:50000", operation, body)
}

func postFrom(handler http.Handler, address, operation, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.RemoteAddr = address
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "GameLift."+operation)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}
