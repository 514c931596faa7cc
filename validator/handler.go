package validator

import (
	"context"
	"net/http"

	"github.com/usher-go/usher/session"
)

// HandlerConfig configures a Handler. The zero value works.
type HandlerConfig struct {
	// Admit, if any, looks at request and player session before the player is
	// accepted: a wrong build, a banned player, the wrong room. Its error refuses
	// with 403, or with the status of an error of package session that it wraps,
	// and nothing has changed then: the player may come again with the same id.
	// A panic refuses too, and is logged. The request holds no id any more.
	Admit func(*http.Request, session.PlayerSession) error

	// Refuse answers a request that is refused; nil: with a problem document, see
	// Handler. [RefuseWebSocket] is for browsers. Mind that strangers may read the
	// answer: whoever is refused for ErrInvalidPlayerSessionID should be told the
	// same as for ErrPlayerSessionNotFound.
	Refuse func(http.ResponseWriter, *http.Request, error)

	// QueryParameter is where the id may stand in the URL; "": nowhere. URLs end
	// up in the logs of proxies and in the history of browsers, and the id admits
	// whoever reads it there, so prefer any other way.
	QueryParameter string

	// TakeOver lets a player in who is connected already; the older connection
	// ends.
	TakeOver bool
}

// Handler returns a gate in front of next: what reaches next is a validated
// player. It serves HTTP/1.1, HTTP/2 and WebSocket upgrades by any library, and is
// meant for requests that live as long as the player's visit: a WebSocket, a
// stream of server-sent events. One request is one connection of the player: while
// it runs another one with the same id is refused with 409, and after it, unless
// the table has a ReconnectWindow, with 410. A nil next panics.
//
// The id is the bearer token (Authorization: Bearer psess-…), or an element of
// Sec-WebSocket-Protocol, or stands in the configured query parameter. A browser's
// WebSocket can send no Authorization; it offers the subprotocols ["usher", id],
// of which the server selects "usher". Whatever begins with "psess-" in these
// places is taken out of the request before Admit, Refuse and next see it, and is
// never echoed; all else in them is left alone. What stands before the gate, such
// as an access log, still sees it. Several different ids in one request are none.
// next finds the player by [PlayerSessionFromContext].
//
// The player is dropped, as by Disconnect, when next returns or panics. If next
// has hijacked the connection, what it gets is a [*Conn], and the player is
// dropped when that is closed, or a second after a Read or Write of it has failed
// for good, however early next returned; if next panics it is closed.
//
// When the player session ends elsewhere (Release, Terminate, Replace, TakeOver,
// window over) the request's context is cancelled with an [*EndedError] as its
// cause, and a hijacked connection is closed: at once if next has returned, else
// 50 ms later, so that next may say goodbye. As always in net/http, the context
// of a hijacked request ends when the handler returns, too.
//
// A refusal answers with a problem document (RFC 9457), whose member "reason" is
// the word of session.Reason:
//
//	401  not_found: no id, one that is malformed, or one that nobody reserved
//	403  other: an error of Admit's own
//	409  already_active; of Admit: duplicate, exists, full
//	410  completed, timed_out
//	429  of Admit: overloaded
//	500  other: Admit panicked
//	503  closed; of Admit: draining
//
// The statuses are chosen here. One subscription to the table's events, while a
// player is inside, serves the whole gate: make one Handler, not one a request.
func (v *Validator) Handler(next http.Handler, cfg HandlerConfig) http.Handler {
	if next == nil {
		panic("validator: Handler needs a handler to go on with")
	}
	if cfg.Refuse == nil {
		cfg.Refuse = refuseHTTP
	}
	h := &handler{config: cfg, next: next, guests: newGuests(v, cfg.TakeOver)}
	h.guests.close() // nobody closes a Handler: it listens to the table while a player is inside
	return h
}

type handler struct {
	config HandlerConfig
	next   http.Handler
	guests *guests
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, r := takeCredentials(r, h.config.QueryParameter)
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	q := &request{guests: h.guests, cancel: cancel}
	guest, err := h.guests.admit(id, h.look(r), q.end)
	if err != nil {
		h.config.Refuse(w, r, err)
		return
	}
	q.guest = guest
	defer q.leave()
	ctx = context.WithValue(ctx, playerSessionKey{}, guest.playerSession)
	h.next.ServeHTTP(q.watch(w), r.WithContext(ctx))
	q.returned()
}

// look is how the guests show a player session to Admit.
func (h *handler) look(r *http.Request) func(session.PlayerSession) error {
	if h.config.Admit == nil {
		return nil
	}
	return func(ps session.PlayerSession) error { return h.config.Admit(r, ps) }
}

type playerSessionKey struct{}

// PlayerSessionFromContext returns the player session that was accepted for a
// request which came through a [Validator.Handler], as it was then; false for any
// other request.
func PlayerSessionFromContext(ctx context.Context) (session.PlayerSession, bool) {
	ps, ok := ctx.Value(playerSessionKey{}).(session.PlayerSession)
	return ps, ok
}
