package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// answerTimeout is how long a client waits for an answer that never comes: it ends
// a demo that has gone wrong.
const answerTimeout = 10 * time.Second

// matchmaker is the backend as the server sees it: HTTP requests.
type matchmaker struct {
	url    string
	secret string
	client http.Client
}

func newMatchmaker(addr net.Addr, secret string) *matchmaker {
	return &matchmaker{
		url:    "http://" + addr.String() + "/reserve",
		secret: secret,
		client: http.Client{Transport: &http.Transport{}, Timeout: answerTimeout}, // straight, through no proxy
	}
}

// hangUp closes the connections that are kept for a next request.
func (m *matchmaker) hangUp() { m.client.CloseIdleConnections() }

// answer is the server's to a reservation.
type answer struct {
	status int
	word   string                  // why it was refused
	held   []session.PlayerSession // if it was not
}

// reserve asks for seats for a party. They are held for timeout, or for as long as
// the server likes if it is 0.
func (m *matchmaker) reserve(ctx context.Context, timeout time.Duration, party ...string) (answer, error) {
	reservations := make([]slot.Reservation, len(party))
	for i, player := range party {
		reservations[i] = slot.Reservation{PlayerID: player, Timeout: timeout}
	}
	body, err := json.Marshal(reservations)
	if err != nil {
		return answer{}, err
	}
	return m.post(ctx, bytes.NewReader(body))
}

func (m *matchmaker) post(ctx context.Context, body io.Reader) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, body)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+m.secret)
	response, err := m.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: response.StatusCode}
	if a.status != http.StatusOK {
		a.word = strings.TrimSpace(string(text))
		return a, nil
	}
	return a, json.Unmarshal(text, &a.held)
}

// client is a player's game client: a connection to the server.
type client struct {
	conn  *net.TCPConn
	lines *bufio.Reader
}

// connect shows a player session id at the door. It returns a client and its seat,
// or no client and the word for which it was refused.
func connect(ctx context.Context, addr net.Addr, id string) (c *client, seat int, word string, err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, 0, "", err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		conn.Close()
		return nil, 0, "", fmt.Errorf("no TCP connection but %T", conn)
	}
	c = &client{conn: tcp, lines: bufio.NewReader(tcp)}
	answer, err := c.ask(id)
	if err != nil {
		c.conn.Close()
		return nil, 0, "", err
	}
	if word, ok := strings.CutPrefix(answer, "refused "); ok {
		c.conn.Close()
		return nil, 0, word, nil
	}
	if _, err := fmt.Sscanf(answer, "welcome to seat %d", &seat); err != nil {
		c.conn.Close()
		return nil, 0, "", fmt.Errorf("the server answers %q", answer)
	}
	return c, seat, "", nil
}

// ask sends a line and returns the one that comes back.
func (c *client) ask(line string) (string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(c.conn, line); err != nil {
		return "", err
	}
	answer, err := c.lines.ReadString('\n')
	return strings.TrimSpace(answer), err
}

// quit leaves for good. It returns when the server has hung up, and by then the
// seat is free.
func (c *client) quit() error {
	defer c.conn.Close()
	if answer, err := c.ask("quit"); !errors.Is(err, io.EOF) {
		return fmt.Errorf("to quit, the server answers %q, %w", answer, err)
	}
	return nil
}

// drop breaks the connection as a dying router does: nobody says goodbye.
func (c *client) drop() {
	_ = c.conn.SetLinger(0)
	c.conn.Close()
}
