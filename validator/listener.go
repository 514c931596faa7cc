package validator

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

const (
	// refusalTime is how long a client may take to read why it is refused.
	refusalTime = time.Second

	// hookGrace is how much longer than its deadline a handshake may take to
	// notice it, before the connection is closed under it.
	hookGrace = 100 * time.Millisecond

	// minPause and maxPause are net/http's, for when accepting fails.
	minPause = 5 * time.Millisecond
	maxPause = time.Second

	// closePatience is how long Close waits for a hook that does not return.
	closePatience = 5 * time.Second
)

// ListenerConfig configures a [Listener]. The zero value works. The hooks are
// called on a goroutine of their connection's own; one that panics is logged, and
// its connection refused.
type ListenerConfig struct {
	// Handshake reads the player session id that a client sends; an error
	// refuses the connection, as a malformed id does. Every Read of it ends at
	// HandshakeTimeout. What it has read, Read of the Conn does not return.
	//
	// If it is nil, the id is on a line of its own, which ends with \n or \r\n
	// and has at most 136 bytes. What follows stays readable.
	Handshake func(net.Conn) (playerSessionID string, err error)

	// Admit sees a player session that was shown, and the connection, before
	// it is accepted. Its error refuses the connection and changes nothing: the
	// client may come back with the same id. It counts towards HandshakeTimeout.
	Admit func(net.Conn, session.PlayerSession) error

	// Refuse tells a client why it is refused, also at HandshakeTimeout; it has
	// a second for that, and the connection is closed then. It is not called
	// for those who hung up themselves, or were hung up on at a bound. Mind that
	// strangers may read it: whoever is refused for ErrInvalidPlayerSessionID
	// should be told the same as for ErrPlayerSessionNotFound.
	//
	// If it is nil, the client gets a line with the reason's word, such as
	// "refused already_active"; for a malformed id it is "refused not_found".
	Refuse func(net.Conn, error)

	// HandshakeTimeout is how long a client may take for its handshake as a
	// whole, TLS's included; 0 or less is 5 s.
	HandshakeTimeout time.Duration

	// MaxPending bounds the handshakes under way; 0 or less is 1,024. At the
	// bound the oldest one is hung up on for the newcomer.
	MaxPending int

	// MaxPendingPerAddress bounds those of one IPv4 address, or of one IPv6
	// network of 64 bits, likewise; 0 is 64, and less than 0 no bound.
	// Connections that do not come over IP have none.
	MaxPendingPerAddress int

	// RemoteAddr tells where a connection comes from, for MaxPendingPerAddress.
	// It may read from the connection, as for the PROXY protocol. If it is nil,
	// that is the connection's RemoteAddr.
	RemoteAddr func(net.Conn) netip.Addr

	// TakeOver lets a player in whose session another connection still has, as
	// the table's TakeOver; that one is closed.
	TakeOver bool
}

func (c ListenerConfig) withDefaults() ListenerConfig {
	if c.HandshakeTimeout <= 0 {
		c.HandshakeTimeout = 5 * time.Second
	}
	c.HandshakeTimeout = min(c.HandshakeTimeout, math.MaxInt64-hookGrace) // no sum of them is negative
	if c.MaxPending <= 0 {
		c.MaxPending = 1024
	}
	c.MaxPendingPerAddress = cmp.Or(c.MaxPendingPerAddress, 64)
	if c.Refuse == nil {
		c.Refuse = writeRefusal
	}
	if c.RemoteAddr == nil {
		c.RemoteAddr = remoteAddr
	}
	return c
}

// Listener is a [net.Listener] whose connections are those of validated players.
// All its methods may be called concurrently.
type Listener struct {
	inner   net.Listener
	config  ListenerConfig
	log     zerolog.Logger
	guests  *guests
	pending *pending

	admitted chan *Conn    // without a buffer: somebody takes it, or it is dropped
	stopping chan struct{} // closed by stop
	stop     func(why error)
	running  sync.WaitGroup

	mu       sync.Mutex // protects all below
	why      error      // what Accept returns once stopping is closed
	closing  error      // what inner.Close returned
	accepted uint64
	left     uint64
	waiting  int
	refused  map[string]uint64
}

// ListenerStats says what a listener is at, and what it has seen so far.
type ListenerStats struct {
	Pending  int    // handshakes under way now, and refusals being read
	Waiting  int    // connections admitted that Accept has not returned yet
	Accepted uint64 // connections admitted

	Refused           map[string]uint64 // connections refused, by session.Reason
	HandshakeTimeouts uint64            // connections that took too long
	Left              uint64            // connections whose client hung up before it had shown an id

	// Connections that were hung up on for a newcomer: because there were
	// MaxPending, or the process was out of descriptors; and because there
	// were MaxPendingPerAddress.
	PushedOut, PushedOutOfAddress uint64
}

// NewListener returns a listener whose Accept returns the connections of inner
// whose client has shown the id of a player session that was accepted then. It
// takes inner over, which must not be nil. Close must be called in the end; the
// connections that Accept has returned go on.
//
// Handshakes run beside each other. Each has a goroutine; none holds up Accept.
// Until Accept is called, whoever is admitted waits; there are never more of them
// than there are seats. Temporary errors of inner are logged and tried again, after
// 5 ms at first and 1 s at most, as net/http does it. If the process is out of
// descriptors, the oldest pending handshake is hung up on first.
func (v *Validator) NewListener(inner net.Listener, cfg ListenerConfig) *Listener {
	if inner == nil {
		panic("validator: NewListener needs a listener")
	}
	cfg = cfg.withDefaults()
	l := &Listener{
		inner:    inner,
		config:   cfg,
		log:      v.log,
		guests:   newGuests(v, cfg.TakeOver),
		pending:  newPending(cfg.MaxPending, cfg.MaxPendingPerAddress),
		admitted: make(chan *Conn),
		stopping: make(chan struct{}),
		refused:  map[string]uint64{},
	}
	var once sync.Once
	l.stop = func(why error) { once.Do(func() { l.end(why) }) }
	l.running.Go(l.serve)
	return l
}

// Accept waits for the next validated player and returns its connection, which is
// a [*Conn]. After Close it returns [net.ErrClosed], and after an error of the inner
// listener that is not temporary that error.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptPlayer()
	if err != nil {
		return nil, err // no typed nil
	}
	return c, nil
}

// AcceptPlayer is Accept, for who would assert the type.
func (l *Listener) AcceptPlayer() (*Conn, error) {
	select {
	case <-l.stopping:
		return nil, l.reason()
	default:
	}
	select {
	case c := <-l.admitted:
		return c, nil
	case <-l.stopping:
		return nil, l.reason()
	}
}

func (l *Listener) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// Addr returns the address of the inner listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Close closes the inner listener and hangs up on every handshake under way. Who
// was admitted, and not taken by Accept, is dropped. The connections that Accept
// has returned go on. It returns when nothing of the listener runs any more but
// for them; for a hook that does not return it waits 5 s, and says so in the log.
// Later calls return the same.
func (l *Listener) Close() error {
	l.stop(net.ErrClosed)
	if !l.waits(closePatience) {
		l.log.Error().Stringer("waited", closePatience).Msg("listener closed, but a hook is stuck: not waiting for it")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = net.ErrClosed
	return l.closing
}

// waits reports whether all goroutines have ended within d.
func (l *Listener) waits(d time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.running.Wait()
	}()
	patience := time.NewTimer(d)
	defer patience.Stop()
	select {
	case <-ended:
		return true
	case <-patience.C:
		return false
	}
}

// end is called once.
func (l *Listener) end(why error) {
	l.mu.Lock()
	l.why = why
	l.mu.Unlock()
	close(l.stopping)
	err := l.inner.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil // its owner was faster
	}
	l.mu.Lock()
	l.closing = err
	l.mu.Unlock()
	l.pending.close()
	l.guests.close()
}

// Stats returns what Accept and the log do not tell.
func (l *Listener) Stats() ListenerStats {
	s := l.pending.stats()
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Waiting, s.Accepted, s.Left, s.Refused = l.waiting, l.accepted, l.left, maps.Clone(l.refused)
	return s
}

// serve accepts from the inner listener until that is closed.
func (l *Listener) serve() {
	var pause time.Duration
	for {
		conn, err := l.inner.Accept()
		switch {
		case err == nil:
			pause = 0
			l.receive(conn)
		case errors.Is(err, syscall.EMFILE) && l.pending.makeRoom(): // at once, for there is a descriptor now
		case isTemporary(err):
			pause = min(max(2*pause, minPause), maxPause)
			l.log.Warn().Err(err).Stringer("pause", pause).Msg("cannot accept connections: trying again")
			if !l.rests(pause) {
				return
			}
		default:
			l.stop(err)
			return
		}
	}
}

func isTemporary(err error) bool {
	var e interface{ Temporary() bool }
	return errors.As(err, &e) && e.Temporary()
}

// rests reports false when the listener is closed meanwhile.
func (l *Listener) rests(d time.Duration) bool {
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-pause.C:
		return true
	case <-l.stopping:
		return false
	}
}

// receive starts the handshake of a connection.
func (l *Listener) receive(conn net.Conn) {
	v := &visitor{conn: conn}
	if !l.pending.enter(v, l.config.HandshakeTimeout+hookGrace) {
		v.hangUp()
		return
	}
	begun := make(chan struct{})
	l.running.Go(func() {
		close(begun)
		l.welcome(v)
	})
	<-begun // or v might be pushed out before anybody has read what it sent
}

// welcome is a connection until it is refused, or Accept has returned it.
func (l *Listener) welcome(v *visitor) {
	var admitted *Conn
	defer func() { // also if a hook ends the goroutine
		l.pending.leave(v)
		if admitted == nil {
			hangUp(v.conn)
		}
	}()
	c, err := l.admit(v)
	if err != nil {
		l.refuse(v, err)
		return
	}
	admitted = c
	l.deliver(c)
}

func (l *Listener) admit(v *visitor) (*Conn, error) {
	keepAlive(v.conn)
	_ = v.conn.SetDeadline(time.Now().Add(l.config.HandshakeTimeout))
	id, rest, err := l.handshake(v)
	if err != nil {
		return nil, &handshakeError{err}
	}
	c := newConn(v.conn, l.guests)
	c.rest = rest
	c.guest, err = l.guests.admit(id, func(ps session.PlayerSession) error { return l.look(v, ps) }, c.end)
	if err != nil {
		return nil, err
	}
	_ = v.conn.SetDeadline(time.Time{})
	return c, nil
}

func (l *Listener) handshake(v *visitor) (id string, rest []byte, err error) {
	err = survive(l.log, "RemoteAddr", func() error {
		l.pending.enterFrom(l.config.RemoteAddr(v.conn), v)
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if l.config.Handshake == nil {
		return readLine(v.conn)
	}
	err = survive(l.log, "Handshake", func() (err error) {
		id, err = l.config.Handshake(v.conn)
		return err
	})
	return id, nil, err
}

// errHungUp refuses who has been hung up on.
var errHungUp = errors.New("validator: the handshake was pushed out, or took too long")

// look sees the player session before it is accepted. When it returns nil, nobody
// hangs up on v any more.
func (l *Listener) look(v *visitor, ps session.PlayerSession) error {
	l.pending.know(v)
	if l.config.Admit != nil {
		if err := l.config.Admit(v.conn, ps); err != nil {
			return err
		}
	}
	if !l.pending.leave(v) {
		return errHungUp
	}
	return nil
}

// refuse tells the client of v, if it is there to be told.
func (l *Listener) refuse(v *visitor, err error) {
	late, left := wasLate(err), wasLeft(err)
	if !l.pending.refuse(v, late, refusalTime) {
		return
	}
	l.mu.Lock()
	switch {
	case late: // counted already
	case left:
		l.left++
	default:
		l.refused[session.Reason(err)]++
	}
	l.mu.Unlock()
	if left {
		return
	}
	_ = v.conn.SetDeadline(time.Now().Add(refusalTime))
	_ = survive(l.log, "Refuse", func() error {
		l.config.Refuse(v.conn, err)
		return nil
	})
	partWith(v.conn)
}

// deliver hands c to Accept, or drops it when the listener is closed.
func (l *Listener) deliver(c *Conn) {
	l.mu.Lock()
	l.accepted++
	l.waiting++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting--
	}()
	select {
	case l.admitted <- c:
	case <-c.over: // its player session ended
	case <-l.stopping:
		c.lapse()
	}
}
