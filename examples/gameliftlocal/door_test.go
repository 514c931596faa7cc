package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// snapshot is all that a server process could change.
func (w *world) snapshot(t *testing.T) string {
	t.Helper()
	var all []any
	for gs := range w.table.GameSessions() {
		page, err := w.table.Describe(slot.Query{GameSessionID: gs.GameSessionID})
		require.NoError(t, err)
		all = append(all, gs, page.PlayerSessions)
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	return string(text)
}

func TestBadRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	one, two := w.host(t, "one"), w.host(t, "two")
	idle, stranger := w.connect(t, "idle").ready(), w.connect(t, "stranger")
	ann := w.reserve(t, "one", "ann")
	bob := w.reserve(t, "two", "bob")
	two.succeed("AcceptPlayerSession", player("two", bob))
	before := w.snapshot(t)

	const bad, missing, clash = http.StatusBadRequest, http.StatusNotFound, http.StatusConflict
	for name, test := range map[string]struct {
		from   *peer
		status int
		text   string
		action string
		fields map[string]any
	}{
		"unknown action":              {one, bad, "no action", "DeleteEverything", nil},
		"action of the service API":   {one, bad, "no action", "CreatePlayerSession", nil},
		"pushed action":               {one, bad, "no action", "CreateGameSession", nil},
		"action in another case":      {one, bad, "no action", "acceptplayersession", player("one", ann)},
		"stranger's heartbeat":        {stranger, bad, "ProcessReady", "HeartbeatServerProcess", nil},
		"stranger's accept":           {stranger, bad, "ProcessReady", "AcceptPlayerSession", player("one", ann)},
		"stranger's description":      {stranger, bad, "ProcessReady", "DescribePlayerSessions", player("one", "")},
		"stranger's activation":       {stranger, bad, "ProcessReady", "ActivateGameSession", player("one", "")},
		"port 0":                      {stranger, bad, "Port", "ActivateServerProcess", nil},
		"port too high":               {stranger, bad, "Port", "ActivateServerProcess", map[string]any{"Port": 60001}},
		"twice ready":                 {one, clash, "registered", "ActivateServerProcess", map[string]any{"Port": 7000}},
		"idle process activates":      {idle, bad, "hosts no game session", "ActivateGameSession", player("one", "")},
		"idle process accepts":        {idle, bad, "hosts no game session", "AcceptPlayerSession", player("one", ann)},
		"idle process describes":      {idle, bad, "hosts no game session", "DescribePlayerSessions", player("one", "")},
		"another's game session":      {two, missing, "does not host", "ActivateGameSession", player("one", "")},
		"another's policy":            {two, missing, "does not host", "UpdatePlayerSessionCreationPolicy", map[string]any{"GameSessionId": gameID("one"), "PlayerSessionPolicy": "DENY_ALL"}},
		"another's player":            {two, missing, "was not found in this game session", "AcceptPlayerSession", player("two", ann)},
		"another's player and game":   {two, missing, "does not host", "AcceptPlayerSession", player("one", ann)},
		"another's player removed":    {one, missing, "was not found in this game session", "RemovePlayerSession", player("one", bob)},
		"another's player described":  {two, missing, "not", "DescribePlayerSessions", map[string]any{"PlayerSessionId": ann}},
		"no game session":             {one, missing, "does not host", "AcceptPlayerSession", map[string]any{"PlayerSessionId": ann}},
		"no player session":           {one, bad, "psess-", "AcceptPlayerSession", player("one", "")},
		"an id that is none":          {one, bad, "psess-", "AcceptPlayerSession", player("one", "ann")},
		"white space":                 {one, bad, "psess-", "AcceptPlayerSession", player("one", ann+" ")},
		"an id nobody reserved":       {one, missing, "psess-nobody", "AcceptPlayerSession", player("one", "psess-nobody")},
		"accepted already":            {two, bad, "has a status of ACTIVE instead of RESERVED", "AcceptPlayerSession", player("two", bob)},
		"no policy":                   {one, bad, "PlayerSessionPolicy", "UpdatePlayerSessionCreationPolicy", player("one", "")},
		"policy NOT_SET":              {one, bad, "PlayerSessionPolicy", "UpdatePlayerSessionCreationPolicy", map[string]any{"GameSessionId": gameID("one"), "PlayerSessionPolicy": "NOT_SET"}},
		"no id to describe":           {one, bad, "session:", "DescribePlayerSessions", nil},
		"two ids to describe":         {one, bad, "session:", "DescribePlayerSessions", map[string]any{"GameSessionId": gameID("one"), "PlayerId": "ann"}},
		"a status that is none":       {one, bad, "PlayerSessionStatusFilter", "DescribePlayerSessions", map[string]any{"GameSessionId": gameID("one"), "PlayerSessionStatusFilter": "GONE"}},
		"a negative limit":            {one, bad, "session:", "DescribePlayerSessions", map[string]any{"GameSessionId": gameID("one"), "Limit": -1}},
		"a token that is none":        {one, bad, "session:", "DescribePlayerSessions", map[string]any{"GameSessionId": gameID("one"), "NextToken": "x"}},
		"backfill":                    {one, http.StatusForbidden, "-backfill=accept", "StartMatchBackfill", map[string]any{"GameSessionArn": gameID("one")}},
		"backfill of another's":       {one, missing, "does not host", "StartMatchBackfill", map[string]any{"GameSessionArn": gameID("two")}},
		"a number for a text":         {one, bad, "JSON", "AcceptPlayerSession", map[string]any{"GameSessionId": 1}},
		"a text for a number":         {stranger, bad, "JSON", "ActivateServerProcess", map[string]any{"Port": "7000"}},
		"a port beyond all numbers":   {stranger, bad, "JSON", "ActivateServerProcess", map[string]any{"Port": 1e300}},
		"credentials":                 {one, http.StatusForbidden, "no fleet role", "GetFleetRoleCredentials", nil},
		"certificate of a stranger's": {stranger, missing, "no compute certificates", "GetComputeCertificate", nil},
	} {
		t.Log(name)
		test.from.fail(test.status, test.text, test.action, test.fields)
		require.Equal(t, before, w.snapshot(t))
	}
	one.succeed("AcceptPlayerSession", player("one", ann))
}

func TestFramesThatAreNoRequests(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	p := w.connect(t, "one").ready()
	for name, test := range map[string]struct {
		kind  websocket.MessageType
		frame string
		text  string
		id    any // of the request, as far as it can be read
	}{
		"nothing":         {websocket.MessageText, "", "not the JSON", nil},
		"no JSON":         {websocket.MessageText, "hello", "not the JSON", nil},
		"truncated":       {websocket.MessageText, `{"Action":"HeartbeatServerProcess","RequestId":"1"`, "not the JSON", nil},
		"more than one":   {websocket.MessageText, `{"Action":"A","RequestId":"1"}{}`, "not the JSON", nil},
		"a list":          {websocket.MessageText, `[]`, "not the JSON", nil},
		"null":            {websocket.MessageText, `null`, "Action", nil},
		"no action":       {websocket.MessageText, `{"RequestId":"1"}`, "Action", "1"},
		"no request id":   {websocket.MessageText, `{"Action":"HeartbeatServerProcess"}`, "RequestId", nil},
		"wrong type":      {websocket.MessageText, `{"Action":"HeartbeatServerProcess","RequestId":"1","HealthStatus":"yes"}`, "not the JSON", "1"},
		"deeply nested":   {websocket.MessageText, `{"Action":` + strings.Repeat("[", 60_000), "not the JSON", nil},
		"not UTF-8":       {websocket.MessageText, "{\"Action\":\"HeartbeatServerProcess\",\"RequestId\":\"\xff\"}", "UTF-8", nil},
		"a binary frame":  {websocket.MessageBinary, `{"Action":"HeartbeatServerProcess","RequestId":"1"}`, "text frame", "1"},
		"a long identity": {websocket.MessageText, `{"Action":"` + strings.Repeat("x", 60_000) + `","RequestId":"1"}`, "no action", "1"},
	} {
		t.Log(name)
		p.write(test.kind, test.frame)
		a := p.next()
		require.Equal(t, http.StatusBadRequest, status(a))
		require.Contains(t, a["ErrorMessage"], test.text)
		require.Equal(t, test.id, a["RequestId"])
		p.beat(true)
	}
}

func TestFrameBeyondTheLimitEndsTheConnection(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	p := w.connect(t, "one").ready()
	p.write(websocket.MessageText, `{"Action":"HeartbeatServerProcess","RequestId":"`+strings.Repeat("x", maxFrame)+`"}`)
	require.Equal(t, websocket.StatusMessageTooBig, p.closed())
	w.connect(t, "one").beat(true) // it comes back
}

func TestDuplicateRequestsAreAnsweredEach(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	p := w.host(t, "one")
	ann := w.reserve(t, "one", "ann")
	frame := fmt.Sprintf(`{"Action":"AcceptPlayerSession","RequestId":"1","GameSessionId":%q,"PlayerSessionId":%q}`, gameID("one"), ann)
	p.write(websocket.MessageText, frame)
	p.write(websocket.MessageText, frame)
	require.Equal(t, http.StatusOK, status(p.next()))
	require.Equal(t, http.StatusBadRequest, status(p.next()), "it is accepted once")
	p.succeed("RemovePlayerSession", player("one", ann))
	p.succeed("RemovePlayerSession", player("one", ann))
	require.Equal(t, session.StatusCompleted, w.status(t, ann))
}

func TestConnectionsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	w.door.token = "token"
	for name, test := range map[string]struct {
		query  url.Values
		status int
	}{
		"no process id": {url.Values{"Authorization": {"token"}}, http.StatusBadRequest},
		"no token":      {url.Values{"pID": {"one"}}, http.StatusUnauthorized},
		"a wrong token": {url.Values{"pID": {"one"}, "Authorization": {"Token"}}, http.StatusUnauthorized},
		"SigV4 instead": {url.Values{"pID": {"one"}, "Authorization": {"SigV4"}, "X-Amz-Signature": {"00"}}, http.StatusUnauthorized},
	} {
		_, r, err := w.dial(test.query)
		require.Error(t, err, name)
		require.Equal(t, test.status, r.StatusCode, name)
	}
	conn, _, err := w.dial(url.Values{"pID": {"one"}, "Authorization": {"token"}})
	require.NoError(t, err)
	conn.CloseNow()
}

func TestWebPagesAreRefused(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	for _, origin := range []string{"https://example.com", "null", "http" + strings.TrimPrefix(w.url, "ws")} {
		_, r, err := websocket.Dial(t.Context(), w.url+"/?pID=one", &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {origin}},
		})
		require.Error(t, err)
		require.Equal(t, http.StatusForbidden, r.StatusCode, origin)
	}
}

func TestProcessesThatVanishMidRequest(t *testing.T) {
	t.Parallel()
	w := onSockets(t, func(c *fleetConfig) { c.limits.absence = 10 * time.Millisecond })
	for i := range 20 {
		id := fmt.Sprint("p", i)
		p := w.host(t, id)
		ann := w.reserve(t, id, "ann")
		ctx, cancel := context.WithCancel(context.Background())
		writer, err := p.conn.Writer(ctx, websocket.MessageText)
		require.NoError(t, err)
		_, err = fmt.Fprintf(writer, `{"Action":"AcceptPlayerSession","RequestId":"1","GameSessionId":%q,"Playe`, gameID(id))
		require.NoError(t, err)
		cancel()
		p.conn.CloseNow()
		require.Eventually(t, func() bool { return w.gameStatus(t, id) == session.GameSessionTerminated }, patient, time.Millisecond)
		require.Equal(t, session.StatusTimedOut, w.status(t, ann), "nobody was let in")
	}
}

// A storm of accepts from all sides lets each player in once, and no more than
// there are seats.
func TestProcessesAtOnce(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	const processes, players = 8, 4
	var all sync.WaitGroup
	for i := range processes {
		id := fmt.Sprint("p", i)
		p := w.host(t, id)
		ids := make([]string, players)
		for j := range ids {
			ids[j] = w.reserve(t, id, fmt.Sprint("player", j))
		}
		all.Go(func() {
			for range 2 {
				for _, ps := range ids {
					p.ask("AcceptPlayerSession", player(id, ps))
				}
			}
		})
	}
	all.Wait()
	stats := w.table.Stats()
	require.Equal(t, processes*players, stats.Active)
	require.Equal(t, uint64(processes*players), stats.AcceptedTotal)
}

func TestDescribePages(t *testing.T) {
	t.Parallel()
	w := onSockets(t)
	one := w.host(t, "one")
	w.host(t, "two")
	for _, game := range []string{"two", "one"} {
		for i := range 3 {
			w.reserve(t, game, fmt.Sprint("player", i))
		}
	}
	var seen []any
	q := map[string]any{"GameSessionId": gameID("one"), "Limit": 2}
	for {
		a := one.succeed("DescribePlayerSessions", q)
		for _, ps := range a["PlayerSessions"].([]any) {
			seen = append(seen, ps.(map[string]any)["PlayerId"])
		}
		if a["NextToken"] == nil {
			break
		}
		q["NextToken"] = a["NextToken"]
	}
	require.Equal(t, []any{"player0", "player1", "player2"}, seen)

	a := one.succeed("DescribePlayerSessions", map[string]any{"PlayerId": "player1", "Limit": 1})
	require.Len(t, a["PlayerSessions"], 1, "the other game session's is not shown")
	a = one.succeed("DescribePlayerSessions", map[string]any{"GameSessionId": gameID("one"), "PlayerSessionStatusFilter": "ACTIVE"})
	require.Equal(t, []any{}, a["PlayerSessions"], "a list, also when it is empty")
}

func TestLongestGameSessionDataArrives(t *testing.T) {
	t.Parallel()
	w := onSockets(t, func(c *fleetConfig) { c.matchmakerData = strings.Repeat("m", 390_000) })
	p := w.connect(t, "one").ready()
	gs := gameliftapi.GameSession{GameSessionData: strings.Repeat("🎲", 262_144)} // GameLift's limits
	gs.GameSessionID = gameID("one")
	require.NoError(t, w.Place(t.Context(), &gs))
	m := p.next()
	require.Equal(t, gs.GameSessionData, m["GameSessionData"])
	require.Equal(t, w.matchmakerData, m["MatchmakerData"])
}

func TestFaultsDelayOneActionAndNotTheOthers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		w.door.faults = newFaults(map[string]fault{"AcceptPlayerSession": {share: 1, status: http.StatusTooManyRequests, delay: 2 * time.Second}})
		p := w.host(t, "one")
		ann := w.reserve(t, "one", "ann")
		began := time.Now()
		p.write(websocket.MessageText, fmt.Sprintf(`{"Action":"AcceptPlayerSession","RequestId":"1","GameSessionId":%q,"PlayerSessionId":%q}`, gameID("one"), ann))
		p.beat(true)
		require.Zero(t, time.Since(began))
		require.Equal(t, http.StatusTooManyRequests, status(p.next()))
		require.Equal(t, 2*time.Second, time.Since(began))
		require.Equal(t, session.StatusReserved, w.status(t, ann))
	})
}

func TestProcessThatReadsNothingIsCutOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		conn, _, err := w.dial(url.Values{"pID": {"one"}, "FleetId": {"fleet-local"}})
		require.NoError(t, err)
		t.Cleanup(func() { conn.CloseNow() })
		for _, action := range []string{"ActivateServerProcess", "HeartbeatServerProcess"} {
			frame := fmt.Sprintf(`{"Action":%q,"RequestId":"1","Port":7000}`, action)
			require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(frame)))
			_, _, err := conn.Read(t.Context())
			require.NoError(t, err)
		}
		gs, err := w.place(t, "one")
		require.NoError(t, err)
		synctest.Wait()
		_, hosting := w.game(t, "one")
		for range maxQueued {
			w.Updated(gs)
		}
		synctest.Wait()
		require.NotNil(t, hosting.link, "all that is queued may still be read")
		w.Updated(gs)
		synctest.Wait()
		require.Nil(t, hosting.link)
	})
}
