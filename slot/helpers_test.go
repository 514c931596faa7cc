package slot_test

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// match is the game session that a fixture begins with.
const match = "match"

// fixture is a table under test, closed when the test ends.
type fixture struct {
	*slot.Table
	t testing.TB
}

// newFixture returns a table with one game session, match, of that many seats.
func newFixture(t testing.TB, c slot.Config, seats int) fixture {
	t.Helper()
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	f := fixture{Table: table, t: t}
	f.create(match, seats)
	return f
}

func (f fixture) create(gameSessionID string, seats int) {
	f.t.Helper()
	require.NoError(f.t, f.CreateGameSession(session.GameSession{
		GameSessionID:             gameSessionID,
		MaximumPlayerSessionCount: seats,
	}))
}

// reserve holds a seat in match under a new id.
func (f fixture) reserve(playerID string) session.PlayerSession {
	f.t.Helper()
	return f.reserved(slot.Reservation{GameSessionID: match, PlayerID: playerID})
}

func (f fixture) reserved(r slot.Reservation) session.PlayerSession {
	f.t.Helper()
	ps, err := f.Reserve(r)
	require.NoError(f.t, err)
	return ps
}

// join reserves and accepts.
func (f fixture) join(playerID string) session.PlayerSession {
	f.t.Helper()
	return f.accept(f.reserve(playerID).PlayerSessionID)
}

func (f fixture) accept(id string) session.PlayerSession {
	f.t.Helper()
	ps, err := f.Activate(id)
	require.NoError(f.t, err)
	require.Equal(f.t, session.StatusActive, ps.Status)
	return ps
}

// drop says that the connection of ps is gone.
func (f fixture) drop(ps session.PlayerSession) {
	f.t.Helper()
	require.NoError(f.t, f.Disconnect(ps.PlayerSessionID, ps.Generation))
}

func (f fixture) release(id string) session.PlayerSession {
	f.t.Helper()
	ps, err := f.Release(id)
	require.NoError(f.t, err)
	return ps
}

func (f fixture) lookup(id string) session.PlayerSession {
	f.t.Helper()
	ps, err := f.Lookup(id)
	require.NoError(f.t, err)
	return ps
}

func (f fixture) gameSession(id string) session.GameSession {
	f.t.Helper()
	gs, err := f.GameSession(id)
	require.NoError(f.t, err)
	return gs
}

// held is how many seats of match are held.
func (f fixture) held() int {
	f.t.Helper()
	return f.gameSession(match).CurrentPlayerSessionCount
}

func (f fixture) deadline(id string) time.Time {
	f.t.Helper()
	d, err := f.Deadline(id)
	require.NoError(f.t, err)
	return d
}

func (f fixture) terminate(gameSessionID string) {
	f.t.Helper()
	require.NoError(f.t, f.TerminateGameSession(gameSessionID))
}

func (f fixture) update(u slot.GameSessionUpdate) {
	f.t.Helper()
	require.NoError(f.t, f.UpdateGameSession(match, u))
}

// describe reads all pages of a query.
func (f fixture) describe(q slot.Query) []session.PlayerSession {
	f.t.Helper()
	var all []session.PlayerSession
	for {
		page, err := f.Describe(q)
		require.NoError(f.t, err)
		all = append(all, page.PlayerSessions...)
		if q.NextToken = page.NextToken; q.NextToken == "" {
			return all
		}
	}
}

// state is all that a table tells of itself and of some player sessions; that
// of a refused call is the same before and after, but for the refusals counted.
type state struct {
	stats        slot.Stats
	games        []session.GameSession
	sessions     []session.PlayerSession
	deadlines    []time.Time
	deadlineErrs []error
	listed       map[string][]session.PlayerSession
}

func (f fixture) state(ids ...string) state {
	f.t.Helper()
	s := state{stats: f.Stats(), listed: make(map[string][]session.PlayerSession)}
	s.stats.Refused, s.stats.EventBacklog = nil, 0
	s.games = slices.Collect(f.GameSessions())
	for _, gs := range s.games {
		s.listed[gs.GameSessionID] = f.describe(slot.Query{GameSessionID: gs.GameSessionID})
	}
	for _, id := range ids {
		s.sessions = append(s.sessions, f.lookup(id))
		deadline, err := f.Deadline(id)
		s.deadlines, s.deadlineErrs = append(s.deadlines, deadline), append(s.deadlineErrs, err)
	}
	return s
}

// events subscribes a recorder.
func (f fixture) events() *recorder {
	r := new(recorder)
	f.Subscribe(r.record)
	return r
}

// recorder keeps the events it gets.
type recorder struct {
	mu       sync.Mutex
	recorded []session.Event
}

func (r *recorder) record(e session.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorded = append(r.recorded, e)
}

func (r *recorder) all() []session.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.recorded)
}

// of returns the events of one player session.
func (r *recorder) of(id string) []session.Event {
	return slices.DeleteFunc(r.all(), func(e session.Event) bool { return e.PlayerSession.PlayerSessionID != id })
}

func causes(events []session.Event) []session.Cause {
	var cs []session.Cause
	for _, e := range events {
		cs = append(cs, e.Cause)
	}
	return cs
}

// logBook is a logger's output, line by line.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) logger() zerolog.Logger { return zerolog.New(l) }

func (l *logBook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines parses what was logged.
func (l *logBook) lines(t testing.TB) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for d := json.NewDecoder(bytes.NewBufferString(l.text())); ; {
		line := make(map[string]any)
		err := d.Decode(&line)
		if err == io.EOF {
			return lines
		}
		require.NoError(t, err)
		lines = append(lines, line)
	}
}

// saying returns the lines with a message.
func (l *logBook) saying(t testing.TB, message string) []map[string]any {
	t.Helper()
	return slices.DeleteFunc(l.lines(t), func(line map[string]any) bool { return line["message"] != message })
}

// sentinels are all errors that can be told apart.
var sentinels = []error{
	session.ErrInvalidPlayerSessionID, session.ErrPlayerSessionNotFound, session.ErrPlayerSessionExists,
	session.ErrAlreadyActive, session.ErrCompleted, session.ErrTimedOut,
	session.ErrGameSessionNotFound, session.ErrGameSessionExists, session.ErrGameSessionFull, session.ErrGameSessionNotActive,
	session.ErrCreationDenied, session.ErrDuplicatePlayer, session.ErrInvalidField, session.ErrOverloaded,
	session.ErrDraining, session.ErrClosed,
}

// requireOnly asks that err is want and no other of the sentinels: a reason is
// never told for another.
func requireOnly(t testing.TB, want, err error) {
	t.Helper()
	require.ErrorIs(t, err, want)
	require.Equal(t, session.Reason(want), session.Reason(err))
	for _, other := range sentinels {
		if other != want {
			require.NotErrorIs(t, err, other)
		}
	}
}

// requireField asks for a *FieldError of that field.
func requireField(t testing.TB, field string, err error) {
	t.Helper()
	requireOnly(t, session.ErrInvalidField, err)
	var invalid *session.FieldError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, field, invalid.Field)
	require.NotEmpty(t, invalid.Reason)
}

// requireMember asks for a *PartyError of that member, for that reason.
func requireMember(t testing.TB, index int, playerID string, want, err error) {
	t.Helper()
	requireOnly(t, want, err)
	var member *slot.PartyError
	require.ErrorAs(t, err, &member)
	require.Equal(t, index, member.Index)
	require.Equal(t, playerID, member.PlayerID)
	require.Equal(t, member.Err, member.Unwrap())
	require.ErrorIs(t, member.Err, want)
}

func pointer[T any](v T) *T { return &v }

// player is the id of the i-th player of a crowd.
func player(i int) string { return "player-" + strconv.Itoa(i) }
