package gameliftapi

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/slot"
)

// maxBody is enough for the longest GameSessionData, 262,144 characters, unless
// they take four bytes each.
const maxBody = 1 << 20

// handler serves the operations of a table.
type handler struct {
	config     Config
	operations map[string]operation // those allowed
	table      *slot.Table
	games      *games
	pager      pager
}

// New returns the service API of a table. It panics if Operations names one that
// there is not: it would be missed only when it is needed.
func New(table *slot.Table, c Config) http.Handler {
	c = c.withDefaults()
	h := &handler{
		config:     c,
		operations: make(map[string]operation),
		table:      table,
		games:      newGames(table),
		pager:      pager{maphash.MakeSeed()},
	}
	for _, name := range c.allowed() {
		h.operations[name] = operations[name]
	}
	return h
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	w.Header().Set("X-Amzn-Requestid", id)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "gameliftapi: POST it, as AWS SDKs do", http.StatusMethodNotAllowed)
		return
	}
	wire, name, err := recognize(r)
	var body []byte
	if err == nil {
		body, err = h.answer(w, r, wire, name)
	}
	status := http.StatusOK
	if err != nil {
		e := exceptionOf(err)
		h.log(e).Str("request", id).Str("operation", fmt.Sprintf("%.64s", name)).
			Str("exception", e.name).AnErr("error", err).Msg("request refused")
		status = e.status()
		body, _ = wire.encode(failure{e.name, e.message, e.message})
	}
	wire.write(w, status, body)
}

// log keeps what strangers can cause as often as they like out of most logs.
func (h *handler) log(e *exception) *zerolog.Event {
	if e.name == internalService {
		return h.config.Logger.Error()
	}
	return h.config.Logger.Debug()
}

// answer takes a request in this order: who sends it, may they, what is asked. A
// stranger learns nothing, and costs no body.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, wire *wire, name string) ([]byte, error) {
	verify, err := h.config.authenticate(r)
	if err != nil {
		w.Header().Set("Connection", "close") // or net/http would wait for the body
		return nil, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if err := verify(body); err != nil {
		return nil, err
	}
	run, err := h.operation(name)
	if err != nil {
		return nil, err
	}
	output, err := run(r.Context(), h, func(input any) error {
		if err := wire.decode(body, input); err != nil {
			return unreadable(err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return wire.encode(output)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, &exception{invalidRequest, "the body is longer than 1 MiB"}
	case err != nil:
		return nil, &exception{invalidRequest, "the body ends too early"}
	}
	return body, nil
}
