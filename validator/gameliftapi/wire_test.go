package gameliftapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// anybody allows everything to everybody on this machine.
func anybody() gameliftapi.Config {
	return gameliftapi.Config{Anonymous: true, Operations: gameliftapi.Operations()}
}

// raw is a request as it goes over the wire.
type raw struct {
	method, path string // "": POST, the wire's
	headers      map[string]string
	body         []byte
}

func inJSON(operation, body string) raw {
	return raw{path: "/", body: []byte(body), headers: map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "GameLift." + operation,
	}}
}

func inCBOR(operation string, body []byte) raw {
	return raw{path: "/service/GameLift/operation/" + operation, body: body, headers: map[string]string{
		"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor",
	}}
}

func encoded(t *testing.T, value any) []byte {
	t.Helper()
	body, err := cbor.Marshal(value)
	require.NoError(t, err)
	return body
}

// with returns the request with one header changed; "": without it.
func (r raw) with(name, value string) raw {
	headers := map[string]string{name: value}
	for n, v := range r.headers {
		if n != name {
			headers[n] = v
		}
	}
	if value == "" {
		delete(headers, name)
	}
	r.headers = headers
	return r
}

// ask sends a request and decodes the answer by its Content-Type.
func ask(t *testing.T, url string, r raw) (*http.Response, map[string]any) {
	t.Helper()
	method := r.method
	if method == "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url+r.path, bytes.NewReader(r.body))
	require.NoError(t, err)
	for name, value := range r.headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var answer map[string]any
	switch response.Header.Get("Content-Type") {
	case "application/cbor":
		require.Equal(t, "rpc-v2-cbor", response.Header.Get("Smithy-Protocol"))
		require.NoError(t, cbor.Unmarshal(body, &answer))
	case "application/x-amz-json-1.1":
		require.Empty(t, response.Header.Get("Smithy-Protocol"))
		require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	}
	return response, answer
}

// What AWS JSON 1.1 looks like, to the letter.
func TestJSON(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	handler := gameliftapi.New(table, anybody())

	w := post(handler, "CreatePlayerSession", reservation)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/x-amz-json-1.1", w.Header().Get("Content-Type"))
	require.Regexp(t, `^\{"PlayerSession":\{"CreationTime":\d{10}(\.\d{1,3})?,"DnsName":"seven\.example\.com","GameSessionId":"match-1",`+
		`"IpAddress":"10\.0\.0\.7","PlayerId":"ann","PlayerSessionId":"psess-[0-9a-f-]{36}","Port":7777,"Status":"RESERVED"\}\}$`, w.Body.String())

	w = post(handler, "CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"bob"}`)
	require.Equal(t, http.StatusBadRequest, w.Code)
	message := "game session is full; reserve again when a seat opens, or in another game session"
	require.JSONEq(t, `{"__type":"GameSessionFullException","message":"`+message+`","Message":"`+message+`"}`, w.Body.String())

	w = post(handler, "DescribePlayerSessions", `{"PlayerId":"nobody"}`)
	require.JSONEq(t, `{"PlayerSessions":[]}`, w.Body.String())
}

// The same requests give the same answers on both wires, but for the timestamps'
// tags.
func TestBothWires(t *testing.T) {
	t.Parallel()
	url := [2]string{}
	for i := range url {
		url[i] = serve(t, newTable(t, slot.Config{}), anybody())
	}
	arn := "arn:aws:gamelift:local::gamesession/fleet-local/round-1"
	for _, step := range []struct {
		operation string
		input     map[string]any
	}{
		{"CreateGameSession", map[string]any{
			"FleetId": fleet, "MaximumPlayerSessionCount": 3, "IdempotencyToken": "round-1",
			"GameProperties": []any{map[string]any{"Key": "map", "Value": "dunes"}},
		}},
		{"CreatePlayerSession", map[string]any{"GameSessionId": arn, "PlayerId": "ann", "PlayerData": "<red> & Ünïcode 🎲"}},
		{"CreatePlayerSessions", map[string]any{"GameSessionId": arn, "PlayerIds": []any{"bob", "cid"}, "PlayerDataMap": map[string]any{"bob": "blue"}}},
		{"CreatePlayerSessions", map[string]any{"GameSessionId": arn, "PlayerIds": []any{"dan"}}},
		{"DescribePlayerSessions", map[string]any{"GameSessionId": arn, "Limit": 2}},
		{"DescribeGameSessions", map[string]any{"FleetId": fleet}},
		{"DescribeGameSessionDetails", map[string]any{"FleetId": fleet}},
		{"SearchGameSessions", map[string]any{"FleetId": fleet, "FilterExpression": "playerSessionCount = 3"}},
		{"UpdateGameSession", map[string]any{"GameSessionId": arn, "Name": "new", "Unknown": map[string]any{"a": []any{1}}}},
		{"TerminateGameSession", map[string]any{"GameSessionId": arn, "TerminationMode": "FORCE_TERMINATE"}},
		{"TerminateGameSession", map[string]any{"GameSessionId": arn, "TerminationMode": nil}},
		{"StartMatchmaking", map[string]any{}},
	} {
		text, err := json.Marshal(step.input)
		require.NoError(t, err)
		one, fromJSON := ask(t, url[0], inJSON(step.operation, string(text)))
		two, fromCBOR := ask(t, url[1], inCBOR(step.operation, encoded(t, step.input)))
		require.Equal(t, one.StatusCode, two.StatusCode, step.operation)
		require.Equal(t, plain(fromJSON), plain(fromCBOR), step.operation)
	}
}

// plain makes what differs from run to run, and the number types, alike.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return plainMap(v)
	case map[any]any:
		m := make(map[string]any)
		for name, value := range v {
			m[fmt.Sprint(name)] = value
		}
		return plainMap(m)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case uint64:
		return float64(v)
	}
	return v
}

func plainMap(v map[string]any) any {
	m := make(map[string]any)
	for name, value := range v {
		switch name {
		case "PlayerSessionId", "NextToken", "CreationTime", "TerminationTime":
			m[name] = "some"
		default:
			m[name] = plain(value)
		}
	}
	return m
}

// Java's and .NET's SDKs write maps and lists of indefinite length.
func TestIndefiniteLengths(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 2)
	body := []byte("\xbf\x6dGameSessionId\x7f\x65match\x62-1\xff\x69PlayerIds\x9f\x63ann\x63bob\xff\xff")
	response, answer := ask(t, serve(t, table, anybody()), inCBOR("CreatePlayerSessions", body))
	require.Equal(t, http.StatusOK, response.StatusCode, answer)
	require.Len(t, answer["PlayerSessions"], 2)
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 4)
	url := serve(t, table, anybody())
	good := encoded(t, map[string]string{"GameSessionId": match, "PlayerId": "ann"})
	nested := strings.Repeat("[", 10_000)

	for name, r := range map[string]raw{
		"InvalidRequestException: no body":               inJSON("CreatePlayerSession", ""),
		"InvalidRequestException: no body in CBOR":       inCBOR("CreatePlayerSession", nil),
		"InvalidRequestException: no member":             inJSON("CreatePlayerSession", "{}"),
		"InvalidRequestException: no map":                inJSON("CreatePlayerSession", `"x"`),
		"InvalidRequestException: null":                  inJSON("CreatePlayerSession", "null"),
		"InvalidRequestException: a list":                inJSON("CreatePlayerSession", "["+reservation+"]"),
		"InvalidRequestException: null in CBOR":          inCBOR("CreatePlayerSession", []byte{0xf6}),
		"InvalidRequestException: a list in CBOR":        inCBOR("CreatePlayerSession", append([]byte{0x81}, good...)),
		"InvalidRequestException: cut":                   inJSON("CreatePlayerSession", reservation[:len(reservation)-1]),
		"InvalidRequestException: cut CBOR":              inCBOR("CreatePlayerSession", good[:len(good)-1]),
		"InvalidRequestException: more":                  inJSON("CreatePlayerSession", reservation+reservation),
		"InvalidRequestException: more CBOR":             inCBOR("CreatePlayerSession", append(bytes.Clone(good), 0)),
		"InvalidRequestException: twice":                 inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"ann","PlayerId":"eve"}`),
		"InvalidRequestException: twice but for case":    inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"ann","playerid":"eve"}`),
		"InvalidRequestException: twice, with a long s":  inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"ann","GameSeſsionId":"match-2"}`),
		"InvalidRequestException: twice, in a list":      inJSON("CreateGameSession", `{"FleetId":"fleet-local","MaximumPlayerSessionCount":1,"GameProperties":[{"Key":"a","key":"b","Value":"c"}]}`),
		"InvalidRequestException: a key of a map twice":  inJSON("CreatePlayerSessions", `{"GameSessionId":"match-1","PlayerIds":["ann"],"PlayerDataMap":{"ann":"a","ann":"b"}}`),
		"InvalidRequestException: twice in CBOR":         inCBOR("CreatePlayerSession", []byte("\xa3\x6dGameSessionId\x67match-1\x68PlayerId\x63ann\x68PlayerId\x63eve")),
		"InvalidRequestException: a number":              inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":7}`),
		"InvalidRequestException: a number in CBOR":      inCBOR("CreatePlayerSession", encoded(t, map[string]any{"GameSessionId": match, "PlayerId": 7})),
		"InvalidRequestException: bytes":                 inCBOR("CreatePlayerSession", encoded(t, map[string]any{"GameSessionId": match, "PlayerId": []byte("ann")})),
		"InvalidRequestException: no UTF-8":              inJSON("CreatePlayerSession", "{\"GameSessionId\":\"match-1\",\"PlayerId\":\"\xff\"}"),
		"InvalidRequestException: half a surrogate pair": inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"\ud83c"}`),
		"InvalidRequestException: its other half":        inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"a\\\uDFAE\ud83c"}`),
		"InvalidRequestException: half a pair and more":  inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"\ud83c\u0041"}`),
		"InvalidRequestException: no UTF-8 in CBOR":      inCBOR("CreatePlayerSession", []byte("\xa2\x6dGameSessionId\x67match-1\x68PlayerId\x61\xff")),
		"InvalidRequestException: a tag":                 inCBOR("CreatePlayerSession", append([]byte{0xd9, 0xd9, 0xf7}, good...)),
		"InvalidRequestException: a tag within":          inCBOR("CreatePlayerSession", []byte("\xa2\x6dGameSessionId\x67match-1\x68PlayerId\xc0\x63ann")),
		"InvalidRequestException: too great":             inJSON("DescribePlayerSessions", `{"GameSessionId":"match-1","Limit":99999999999}`),
		"InvalidRequestException: too great in CBOR":     inCBOR("DescribePlayerSessions", encoded(t, map[string]any{"GameSessionId": match, "Limit": int64(99999999999)})),
		"InvalidRequestException: a fraction":            inJSON("DescribePlayerSessions", `{"GameSessionId":"match-1","Limit":1.5}`),
		"InvalidRequestException: a fraction in CBOR":    inCBOR("DescribePlayerSessions", encoded(t, map[string]any{"GameSessionId": match, "Limit": 1.5})),
		"InvalidRequestException: nested":                inJSON("CreatePlayerSession", `{"x":`+nested),
		"InvalidRequestException: nested in CBOR":        inCBOR("CreatePlayerSession", append([]byte{0xa1, 0x61, 'x'}, bytes.Repeat([]byte{0x81}, 10_000)...)),
		"InvalidRequestException: a long list":           inJSON("CreatePlayerSessions", `{"GameSessionId":"match-1","PlayerIds":["x"`+strings.Repeat(`,"x"`, 1000)+`]}`),
		"InvalidRequestException: a long list announced": inCBOR("CreatePlayerSessions", []byte("\xa1\x69PlayerIds\x9b\x00\x00\xff\xff\xff\xff\xff\xff")),
		"InvalidRequestException: a long text announced": inCBOR("CreatePlayerSession", []byte("\xa1\x68PlayerId\x7b\x7f\xff\xff\xff\xff\xff\xff\xff")),
		"InvalidRequestException: a long map":            inJSON("CreatePlayerSession", longMap(1000)),
		"InvalidRequestException: a long unknown list":   inJSON("CreatePlayerSession", withUnknown("["+strings.Repeat("1,", 256)+"1]")),
		"InvalidRequestException: deep and unknown":      inJSON("CreatePlayerSession", withUnknown(strings.Repeat("[", 20)+strings.Repeat("]", 20))),
		"InvalidRequestException: one of them, CBOR":     inCBOR("CreatePlayerSession", unknownIn(t, make([]int, 257))),
		"InvalidRequestException: the other, CBOR":       inCBOR("CreatePlayerSession", unknownIn(t, nest(20))),
		"InvalidRequestException: a long body":           inJSON("CreatePlayerSession", `{"GameSessionId":"`+strings.Repeat("x", 1<<20)+`"}`),
		"InvalidRequestException: the other type":        inJSON("CreatePlayerSession", reservation).with("Content-Type", "application/cbor"),
		"InvalidRequestException: the other type, CBOR":  inCBOR("CreatePlayerSession", good).with("Content-Type", "application/x-amz-json-1.1"),
		"InvalidRequestException: plain JSON":            inJSON("CreatePlayerSession", reservation).with("Content-Type", "application/json"),
		"InvalidRequestException: no type":               inJSON("CreatePlayerSession", reservation).with("Content-Type", ""),
		"UnknownOperationException: unknown":             inJSON("CreatePlayerSessionz", reservation),
		"UnknownOperationException: unknown in CBOR":     inCBOR("", good),
		"UnknownOperationException: in another case":     inJSON("createPlayerSession", reservation),
		"UnknownOperationException: deeper":              inCBOR("CreatePlayerSession/x", good),
		"UnknownOperationException: another service":     inJSON("CreatePlayerSession", reservation).with("X-Amz-Target", "DynamoDB_20120810.GetItem"),
		"UnknownOperationException: no target":           inJSON("CreatePlayerSession", reservation).with("X-Amz-Target", ""),
		"UnknownOperationException: another protocol":    inCBOR("CreatePlayerSession", good).with("Smithy-Protocol", "rpc-v2-json"),
		"UnknownOperationException: both protocols":      inCBOR("CreatePlayerSession", good).with("X-Amz-Target", "GameLift.CreatePlayerSession"),
		"UnknownOperationException: another path":        {path: "/x", headers: inJSON("CreatePlayerSession", "").headers, body: []byte(reservation)},
	} {
		response, answer := ask(t, url, r)
		want, _, _ := strings.Cut(name, ":")
		require.Equal(t, http.StatusBadRequest, response.StatusCode, name)
		require.Equal(t, want, answer["__type"], name)
		require.NotEmpty(t, answer["message"], name)
		require.Equal(t, answer["message"], answer["Message"], name)
	}
	require.Zero(t, table.Stats().ReservedTotal, "nobody was let in")

	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := inJSON("CreatePlayerSession", reservation)
		r.method = method
		response, _ := ask(t, url, r)
		require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
		require.Equal(t, http.MethodPost, response.Header.Get("Allow"))
	}
	response, _ := ask(t, url, inCBOR("CreatePlayerSession", good))
	require.Equal(t, http.StatusOK, response.StatusCode)
	response, _ = ask(t, url, inJSON("CreatePlayerSession", reservation).with("Content-Type", "application/x-amz-json-1.1; charset=utf-8"))
	require.Equal(t, http.StatusOK, response.StatusCode)
	response, _ = ask(t, url, inJSON("CreatePlayerSessions", `{"GameSessionId":"match-1","PlayerIds":["bob","Bob"],"PlayerDataMap":{"bob":"a","Bob":"b"}}`))
	require.Equal(t, http.StatusOK, response.StatusCode, "player ids may differ by case alone")
	response, answer := ask(t, url, inJSON("CreatePlayerSession", `{"GameSessionId":"match-1","PlayerId":"\ud83c\uDFAE \\ud83c"}`))
	require.Equal(t, http.StatusOK, response.StatusCode, answer["message"])
	require.Equal(t, "🎮 \\ud83c", answer["PlayerSession"].(map[string]any)["PlayerId"])
}

func longMap(n int) string {
	var b strings.Builder
	b.WriteString(`{"GameSessionId":"match-1","PlayerId":"ann"`)
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	return b.String() + "}"
}

// withUnknown is a good reservation with a member that is not known here.
func withUnknown(value string) string {
	return strings.TrimSuffix(reservation, "}") + `,"Unknown":` + value + "}"
}

func unknownIn(t *testing.T, value any) []byte {
	t.Helper()
	return encoded(t, map[string]any{"GameSessionId": match, "PlayerId": "ann", "Unknown": value})
}

func nest(depth int) any {
	if depth == 0 {
		return 1
	}
	return []any{nest(depth - 1)}
}

// What is not known, and is not too much, is no fault: SDKs grow.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	url := serve(t, table, anybody())
	for _, r := range []raw{
		inJSON("CreatePlayerSession", withUnknown("["+strings.Repeat("1,", 255)+"1]")),
		inJSON("CreatePlayerSession", withUnknown(strings.Repeat("[", 15)+strings.Repeat("]", 15))),
		inCBOR("CreatePlayerSession", unknownIn(t, make([]int, 256))),
		inCBOR("CreatePlayerSession", unknownIn(t, nest(15))),
	} {
		response, answer := ask(t, url, r)
		require.Equal(t, http.StatusOK, response.StatusCode, answer["message"])
	}
}

// One byte too many is refused for that, whatever it holds.
func TestLongestBody(t *testing.T) {
	t.Parallel()
	url := serve(t, newTable(t, slot.Config{}), anybody())
	fill := func(n int) string { return "{" + strings.Repeat(" ", n-2) + "}" }
	_, answer := ask(t, url, inJSON("CreatePlayerSession", fill(1<<20)))
	require.Contains(t, answer["message"], "is required")
	_, answer = ask(t, url, inJSON("CreatePlayerSession", fill(1<<20+1)))
	require.Contains(t, answer["message"], "longer than 1 MiB")
}

// The longest data there may be gets through.
func TestLongestGameSessionData(t *testing.T) {
	t.Parallel()
	url := serve(t, newTable(t, slot.Config{}), anybody())
	body := func(n int) string {
		return `{"FleetId":"fleet-local","MaximumPlayerSessionCount":1,"GameSessionData":"` + strings.Repeat("語", n) + `"}`
	}
	response, answer := ask(t, url, inJSON("CreateGameSession", body(262_144)))
	require.Equal(t, http.StatusOK, response.StatusCode, answer["message"])
	response, answer = ask(t, url, inJSON("CreateGameSession", body(262_145)))
	require.Equal(t, "InvalidRequestException", answer["__type"])
	require.Equal(t, http.StatusBadRequest, response.StatusCode)
}

// A client that goes before its request is whole has asked for nothing.
func TestClientsThatVanish(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 100)
	served := make(chan struct{}, 100)
	handler := gameliftapi.New(table, anybody())
	url := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		served <- struct{}{}
	}))
	head := "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: GameLift.CreatePlayerSession\r\n"
	for _, rest := range []string{
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(reservation)+1, reservation),
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(reservation), reservation[:10]),
		fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(reservation), reservation),
		"Content-Length: 5\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, head+rest)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		select {
		case <-served:
		case <-time.After(time.Minute):
			require.Fail(t, "the request hangs")
		}
	}
	require.Zero(t, table.Stats().ReservedTotal)
}

// One that goes before it has read the answer has its seat, and asks again.
func TestClientThatDoesNotReadTheAnswer(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	url := serve(t, table, anybody())
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	r := newRequest(t, url, "CreatePlayerSession", reservation)
	require.NoError(t, r.Write(conn))
	_, err = bufio.NewReader(conn).Peek(1)
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	status, a := send(t, newRequest(t, url, "CreatePlayerSession", reservation))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, session.StatusReserved, a.PlayerSession.Status)
	require.EqualValues(t, 1, table.Stats().ReservedTotal)
}
