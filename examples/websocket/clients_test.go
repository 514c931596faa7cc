package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// patience bounds a hang; nothing waits as long.
const patience = 30 * time.Second

// client is a player's side of a WebSocket, by one library or the other.
type client interface {
	say(text string) error
	hear() (string, error) // the error of a WebSocket that was closed is a closure
	hangUp()               // without a goodbye
	leave()                // with one
}

// closure is what the server closed a WebSocket with.
type closure struct {
	code   int
	reason string
}

func (c closure) Error() string { return fmt.Sprintf("closed: %d %s", c.code, c.reason) }

// dial opens a WebSocket by a library; the response is never nil if there was one.
type dial func(ctx context.Context, url string, header http.Header, protocols ...string) (client, *http.Response, error)

// libraries are those of the clients, and the paths of the servers.
var libraries = map[string]dial{"coder": dialCoder, "gorilla": dialGorilla}

// anyCertificate is for the test server's own.
var anyCertificate = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}

type coderClient struct{ *coder.Conn }

func dialCoder(ctx context.Context, url string, header http.Header, protocols ...string) (client, *http.Response, error) {
	ws, response, err := coder.Dial(ctx, url, &coder.DialOptions{
		HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: anyCertificate}},
		HTTPHeader:   header,
		Subprotocols: protocols,
	})
	if err != nil {
		return nil, response, err
	}
	return coderClient{ws}, response, nil
}

func (c coderClient) say(text string) error {
	return c.Write(context.Background(), coder.MessageText, []byte(text))
}

func (c coderClient) hear() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, text, err := c.Read(ctx)
	var closed coder.CloseError
	if errors.As(err, &closed) {
		err = closure{int(closed.Code), closed.Reason}
	}
	return string(text), err
}

func (c coderClient) hangUp() { _ = c.CloseNow() }
func (c coderClient) leave()  { _ = c.Close(coder.StatusNormalClosure, "bye") }

type gorillaClient struct{ *gorilla.Conn }

func dialGorilla(ctx context.Context, url string, header http.Header, protocols ...string) (client, *http.Response, error) {
	dialer := gorilla.Dialer{TLSClientConfig: anyCertificate, HandshakeTimeout: patience, Subprotocols: protocols}
	ws, response, err := dialer.DialContext(ctx, url, header)
	if err != nil {
		return nil, response, err
	}
	return gorillaClient{ws}, response, nil
}

func (c gorillaClient) say(text string) error {
	return c.WriteMessage(gorilla.TextMessage, []byte(text))
}

func (c gorillaClient) hear() (string, error) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, text, err := c.ReadMessage()
	var closed *gorilla.CloseError
	if errors.As(err, &closed) && closed.Code != gorilla.CloseAbnormalClosure { // what no frame says
		err = closure{closed.Code, closed.Text}
	}
	return string(text), err
}

func (c gorillaClient) hangUp() { _ = c.Close() }

func (c gorillaClient) leave() {
	goodbye := gorilla.FormatCloseMessage(gorilla.CloseNormalClosure, "bye")
	_ = c.WriteControl(gorilla.CloseMessage, goodbye, time.Now().Add(patience))
	_ = c.Close()
}

// everyPair runs a test with every library as a server's, and every one as a
// client's.
func everyPair(t *testing.T, test func(t *testing.T, server string, dial dial)) {
	t.Helper()
	for server := range libraries {
		for client, dial := range libraries {
			t.Run("server="+server+" client="+client, func(t *testing.T) {
				t.Parallel()
				test(t, server, dial)
			})
		}
	}
}

// echoed says a line and waits until it comes back: the visit is under way.
func echoed(t *testing.T, c client, player, text string) {
	t.Helper()
	require.NoError(t, c.say(text))
	line, err := c.hear()
	require.NoError(t, err)
	require.Equal(t, player+": "+text, line)
}
