package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// anyCertificate is a client that speaks TLS 1.2 and takes any certificate, as the
// C++ server SDK does.
func anyCertificate(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestBothWiresSpeakTLSOnTheSamePort(t *testing.T) {
	t.Parallel()
	e := emulate(t, nil, nil)
	client := anyCertificate(t)
	conn, _, err := websocket.Dial(t.Context(), "wss://"+e.address+"/?"+url.Values{"pID": {"p-1"}, "FleetId": {"fleet-local"}}.Encode(),
		&websocket.DialOptions{HTTPClient: client})
	require.NoError(t, err)
	p := &peer{t: t, conn: conn, frames: make(chan map[string]any, 10)}
	go p.read()
	t.Cleanup(func() { conn.CloseNow() })
	p.ready()
	game, exception := jsonBackend{t, e}.createGameSession("plain")
	require.Empty(t, exception)
	require.Equal(t, game, p.next()["GameSessionId"])

	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+e.address, strings.NewReader(`{"GameSessionId":"`+game+`"}`))
	require.NoError(t, err)
	q.Header.Set("Content-Type", "application/x-amz-json-1.1")
	q.Header.Set("X-Amz-Target", "GameLift.DescribeGameSessions")
	r, err := client.Do(q)
	require.NoError(t, err)
	defer r.Body.Close()
	require.Equal(t, http.StatusOK, r.StatusCode)
}

func TestConnectionsThatSayNothing(t *testing.T) {
	t.Parallel()
	e := emulate(t, nil, nil)
	for _, first := range []string{"", "\x16", "\x16\x03\x01 is no handshake", "\x00", "GET"} {
		conn, err := net.Dial("tcp", e.address)
		require.NoError(t, err)
		_, err = conn.Write([]byte(first))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
	}
	jsonBackend{t, e}.call("DescribeGameSessions", "GameSessions", map[string]any{"FleetId": "fleet-local"}) // it answers
	e.stop(t)
}
