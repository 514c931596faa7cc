package session_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func ExamplePlayerSession_MarshalJSON() {
	p := session.PlayerSession{
		CreationTime:    time.UnixMilli(1469498468057),
		GameSessionID:   "gs-1",
		PlayerID:        "alice",
		PlayerSessionID: "psess-1",
		Port:            7777,
		Status:          session.StatusReserved,
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	// Output:
	// {
	//   "CreationTime": 1469498468.057,
	//   "GameSessionId": "gs-1",
	//   "PlayerId": "alice",
	//   "PlayerSessionId": "psess-1",
	//   "Port": 7777,
	//   "Status": "RESERVED"
	// }
}

// What aws gamelift create-player-session printed, read back.
func ExamplePlayerSession_UnmarshalJSON() {
	var answer struct{ PlayerSession session.PlayerSession }
	err := json.Unmarshal([]byte(`{
		"PlayerSession": {
			"PlayerSessionId": "psess-1",
			"PlayerId": "alice",
			"CreationTime": "2016-07-26T02:01:08.057000+00:00",
			"Status": "RESERVED"
		}
	}`), &answer)
	if err != nil {
		panic(err)
	}
	p := answer.PlayerSession
	fmt.Println(p.PlayerID, p.Status, p.CreationTime)
	// Output: alice RESERVED 2016-07-26 02:01:08.057 +0000 UTC
}

// documented has every field that is on the wire.
var documented = session.PlayerSession{
	CreationTime:    time.UnixMilli(1469498468057).UTC(),
	TerminationTime: time.UnixMilli(1469498528000).UTC(),
	DNSName:         "ec2-1.compute.amazonaws.com",
	FleetARN:        "arn:aws:gamelift:us-west-2:123456789012:fleet/fleet-1",
	FleetID:         "fleet-1",
	GameSessionID:   "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gs-1",
	IPAddress:       "127.0.0.1",
	PlayerData:      "<team> & \u2028 \x00 🎮",
	PlayerID:        `al"ice`,
	PlayerSessionID: secretID,
	Port:            60000,
	Status:          session.StatusTimedOut,
}

const documentedJSON = `{
	"CreationTime": 1469498468.057,
	"TerminationTime": 1469498528,
	"DnsName": "ec2-1.compute.amazonaws.com",
	"FleetArn": "arn:aws:gamelift:us-west-2:123456789012:fleet/fleet-1",
	"FleetId": "fleet-1",
	"GameSessionId": "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gs-1",
	"IpAddress": "127.0.0.1",
	"PlayerData": "<team> & \u2028 \u0000 🎮",
	"PlayerId": "al\"ice",
	"PlayerSessionId": "` + secretID + `",
	"Port": 60000,
	"Status": "TIMEDOUT"
}`

func TestMarshalJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(documented)
	require.NoError(t, err)
	require.JSONEq(t, documentedJSON, string(text))

	// Only text tells 1469498468.057 from a neighbour that is the same float64.
	require.Contains(t, string(text), `"CreationTime":1469498468.057,`)
	require.Contains(t, string(text), `"TerminationTime":1469498528}`)

	pointer, err := json.Marshal(&documented)
	require.NoError(t, err)
	require.Equal(t, text, pointer)

	seated := documented
	seated.Slot, seated.Generation = 3, 4
	unseen, err := json.Marshal(seated)
	require.NoError(t, err)
	require.Equal(t, text, unseen, "Slot and Generation are not on the wire")

	empty, err := json.Marshal(session.PlayerSession{})
	require.NoError(t, err)
	require.Equal(t, "{}", string(empty))
}

func TestMarshalTimestamp(t *testing.T) {
	t.Parallel()
	second := time.Unix(1469498468, 0)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{second, "1469498468"},
		{second.Add(57 * time.Millisecond), "1469498468.057"},
		{second.Add(500 * time.Millisecond), "1469498468.500"},
		{second.Add(999*time.Millisecond + 999999), "1469498468.999"},
		{second.In(time.FixedZone("", 3600)), "1469498468"},
		{time.Unix(0, 0), "0"},
		{time.UnixMilli(-1), "-0.001"},
		{time.UnixMilli(-1500), "-1.500"},
		{time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), "-62135596799"},
		{time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC), "253402300799.999"},
	} {
		text, err := json.Marshal(session.PlayerSession{TerminationTime: c.at})
		require.NoError(t, err)
		require.Equal(t, `{"TerminationTime":`+c.want+`}`, string(text))
	}
}

func TestMarshalRefuses(t *testing.T) {
	t.Parallel()
	for field, p := range map[string]session.PlayerSession{
		"Status":          {Status: 9},
		"CreationTime":    {CreationTime: time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC)},
		"TerminationTime": {TerminationTime: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		text, err := p.MarshalJSON()
		require.Equal(t, field, requireFieldError(t, err).Field)
		require.Nil(t, text)
		_, err = json.Marshal(p)
		requireFieldError(t, err)
	}
}

func TestUnmarshalJSON(t *testing.T) {
	t.Parallel()
	var p session.PlayerSession
	require.NoError(t, json.Unmarshal([]byte(documentedJSON), &p))
	require.Equal(t, documented, p)
}

// The structs of the AWS SDK for Go, marshalled by encoding/json.
func TestUnmarshalSDKStruct(t *testing.T) {
	t.Parallel()
	var p session.PlayerSession
	require.NoError(t, json.Unmarshal([]byte(`{
		"CreationTime": "2016-07-26T02:01:08.057Z", "DnsName": null, "FleetArn": null, "FleetId": null,
		"GameSessionId": "gs-1", "IpAddress": null, "PlayerData": null, "PlayerId": "alice",
		"PlayerSessionId": "psess-1", "Port": null, "Status": "", "TerminationTime": null
	}`), &p))
	require.Equal(t, session.PlayerSession{
		CreationTime: documented.CreationTime, GameSessionID: "gs-1", PlayerID: "alice", PlayerSessionID: "psess-1",
	}, p)
}

func TestUnmarshalTimestamp(t *testing.T) {
	t.Parallel()
	for text, ms := range map[string]int64{
		`0`:                            0,
		`-0`:                           0,
		`0.0`:                          0,
		`0e9999`:                       0,
		`1e-9999`:                      0,
		`1469498468`:                   1469498468000,
		`1469498468.0`:                 1469498468000,
		`1469498468.057`:               1469498468057,
		`1469498468.5`:                 1469498468500,
		`1.469498468057E9`:             1469498468057,
		`1.469498468057e+9`:            1469498468057,
		`1469498468057e-3`:             1469498468057,
		`14694984680570000000e-10`:     1469498468057,
		`0.00001469498468057e14`:       1469498468057,
		`1469498468.0570001`:           1469498468057,
		`1469498468.0565`:              1469498468057,
		`1469498468.0554999999999999`:  1469498468055, // its float64 lies above the half
		`1469498468.0575`:              1469498468058, // its float64 lies below
		`1469498468.9995`:              1469498469000,
		`0.0005`:                       1,
		`5e-4`:                         1,
		`0.00049999999999999999999999`: 0,
		`-0.0004`:                      0,
		`-1.5`:                         -1500,
		`-1469498468.057`:              -1469498468057,
		`-62135596800.0`:               -62135596800000,
		`253402300799.999`:             253402300799999,

		`"2016-07-26T02:01:08Z"`:                1469498468000,
		`"2016-07-26T02:01:08.057Z"`:            1469498468057,
		`"2016-07-26T02:01:08.057000+00:00"`:    1469498468057,
		`"2016-07-25T19:01:08.057000-07:00"`:    1469498468057,
		`"2016-07-26T02:01:08.057499999Z"`:      1469498468057,
		`"2016-07-26T02:01:08.0575Z"`:           1469498468058,
		`"1969-12-31T23:59:58.5Z"`:              -1500,
		`"9999-12-31T23:59:59.999+00:00"`:       253402300799999,
		`"0001-01-01T00:00:00.001Z"`:            -62135596799999,
		`"2016-07-26T02:01:08.057000000+00:00"`: 1469498468057,
	} {
		p := session.PlayerSession{CreationTime: time.Now()}
		require.NoError(t, json.Unmarshal([]byte(`{"CreationTime":`+text+`}`), &p), text)
		require.Equal(t, time.UnixMilli(ms).UTC(), p.CreationTime, text)
	}

	// The zero time is how Go spells a time that is unset.
	p := session.PlayerSession{CreationTime: time.Now()}
	require.NoError(t, json.Unmarshal([]byte(`{"CreationTime":"0001-01-01T00:00:00Z"}`), &p))
	require.Equal(t, session.PlayerSession{}, p)
}

// Numbers of all shapes, held against exact arithmetic.
func TestUnmarshalTimestampIsExact(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	half := big.NewRat(1, 2)
	for range 5000 {
		sign := []string{"", "-"}[random.IntN(2)]
		exponent := random.IntN(25) - 12
		text := fmt.Sprintf("%s%d.%0*de%+d",
			sign, random.Uint64N(1<<random.IntN(40)), 1+random.IntN(18), random.Uint32(), exponent)
		exact, ok := new(big.Rat).SetString(strings.TrimPrefix(text, "-"))
		require.True(t, ok, text)
		exact.Mul(exact, big.NewRat(1000, 1)).Add(exact, half)
		ms := new(big.Int).Quo(exact.Num(), exact.Denom())
		if sign != "" {
			ms.Neg(ms)
		}

		var p session.PlayerSession
		err := json.Unmarshal([]byte(`{"CreationTime":`+text+`}`), &p)
		if !ms.IsInt64() || ms.Int64() < -62135596800000 || ms.Int64() > 253402300799999 {
			requireFieldError(t, err)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, time.UnixMilli(ms.Int64()).UTC(), p.CreationTime, text)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 1<<16)
	for _, c := range []struct{ field, text string }{
		{"CreationTime", `1e300`},
		{"CreationTime", `-1e300`},
		{"CreationTime", `1e99999999999999999999`},
		{"CreationTime", `1e-99999999999999999999`},
		{"CreationTime", `1e2147483647`},
		{"CreationTime", `0.1e-2147483648`},
		{"CreationTime", `253402300799.9995`},
		{"CreationTime", `253402300800`},
		{"CreationTime", `-62135596800.001`},
		{"CreationTime", `1469498468057`}, // milliseconds: a classic slip, in the year 48536
		{"CreationTime", long},
		{"CreationTime", `"NaN"`},
		{"CreationTime", `""`},
		{"CreationTime", `"1469498468.057"`},
		{"CreationTime", `"2016-07-26"`},
		{"CreationTime", `"2016-07-26 02:01:08.057"`},
		{"CreationTime", `"2016-02-30T00:00:00Z"`},
		{"CreationTime", `"0001-01-01T00:00:00+14:00"`},
		{"CreationTime", `"9999-12-31T23:59:59-01:00"`},
		{"CreationTime", `"9999-12-31T23:59:59.9999Z"`},
		{"CreationTime", `true`},
		{"CreationTime", `false`},
		{"CreationTime", `{}`},
		{"CreationTime", `[0]`},
		{"TerminationTime", `1e300`},
		{"TerminationTime", `"` + secretID + `"`},
		{"DnsName", `1`},
		{"FleetArn", `true`},
		{"FleetId", `{}`},
		{"GameSessionId", `[]`},
		{"IpAddress", `0`},
		{"PlayerData", `{"team":"red"}`},
		{"PlayerId", `12345`},
		{"PlayerSessionId", `["` + secretID + `"]`},
		{"Port", `"7777"`},
		{"Port", `7777.5`},
		{"Port", `1e300`},
		{"Port", long},
		{"Port", `99999999999999999999`},
		{"Port", `true`},
		{"Status", `"reserved"`},
		{"Status", `"ERROR"`},
		{"Status", `"` + secretID + `"`},
		{"Status", `1`},
		{"Status", `{}`},
	} {
		full := documented
		full.Slot, full.Generation = 3, 4
		p := full
		err := json.Unmarshal([]byte(`{"PlayerId":"mallory","Port":1,"`+c.field+`":`+c.text+`}`), &p)
		require.Equal(t, c.field, requireFieldError(t, err).Field, "%.60s", c.text)
		require.Equal(t, full, p, "changed by %.60s", c.text)
	}
}

// UnmarshalJSON may be called by hand, so it cannot count on encoding/json having
// looked at the syntax.
func TestUnmarshalNoObject(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `{"PlayerId":"alice"`, `{"PlayerId":"alice"} {}`, `{'PlayerId':'alice'}`, `{"CreationTime":NaN}`,
		`{"CreationTime":01}`, `[]`, `"` + secretID + `"`, secretID, `1`, `true`,
		strings.Repeat(`{"PlayerId":`, 1<<16), strings.Repeat(`[`, 1<<16),
		`{"x":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}`,
	} {
		p := documented
		field := requireFieldError(t, p.UnmarshalJSON([]byte(text)))
		require.Equal(t, &session.FieldError{Field: "PlayerSession", Reason: "is not a JSON object"}, field)
		require.Equal(t, documented, p)
	}
}

func TestUnmarshalLeavesTheRest(t *testing.T) {
	t.Parallel()
	full := documented
	full.Slot, full.Generation = 3, 4
	for text, change := range map[string]func(*session.PlayerSession){
		`null`:                            func(*session.PlayerSession) {},
		`{}`:                              func(*session.PlayerSession) {},
		`{"Slot":9,"Generation":9}`:       func(*session.PlayerSession) {},
		`{"playerid":"x","PORT":1}`:       func(*session.PlayerSession) {},
		`{"Location":{"a":[1,null]}}`:     func(*session.PlayerSession) {},
		`{"PlayerId":"bob"}`:              func(p *session.PlayerSession) { p.PlayerID = "bob" },
		`{"PlayerId":""}`:                 func(p *session.PlayerSession) { p.PlayerID = "" },
		`{"PlayerId":"a","PlayerId":"b"}`: func(p *session.PlayerSession) { p.PlayerID = "b" },
		`{"PlayerData":null}`:             func(p *session.PlayerSession) { p.PlayerData = "" },
		`{"Port":null}`:                   func(p *session.PlayerSession) { p.Port = 0 },
		`{"Port":-1}`:                     func(p *session.PlayerSession) { p.Port = -1 },
		`{"Status":"ACTIVE"}`:             func(p *session.PlayerSession) { p.Status = session.StatusActive },
		`{"Status":null}`:                 func(p *session.PlayerSession) { p.Status = 0 },
		`{"Status":""}`:                   func(p *session.PlayerSession) { p.Status = 0 },
		`{"TerminationTime":null}`:        func(p *session.PlayerSession) { p.TerminationTime = time.Time{} },
	} {
		p, want := full, full
		change(&want)
		require.NoError(t, json.Unmarshal([]byte(text), &p), text)
		require.Equal(t, want, p, text)
	}
}

// Nothing may pin the caller's buffer.
func TestUnmarshalClones(t *testing.T) {
	t.Parallel()
	text := []byte(documentedJSON)
	var p session.PlayerSession
	require.NoError(t, p.UnmarshalJSON(text))
	clear(text)
	require.Equal(t, documented, p)
}

func FuzzPlayerSessionJSON(f *testing.F) {
	for _, text := range []string{
		documentedJSON,
		`{}`,
		`null`,
		`{"CreationTime":1.469498468057E9,"TerminationTime":"2016-07-26T02:01:08.057000+00:00"}`,
		`{"CreationTime":-0.0005,"Status":"","Port":null}`,
		`{"PlayerId":"\ud800","PlayerData":"` + "\xff" + `"}`,
		`{"CreationTime":1e300}`,
		`{"CreationTime":-62135596800}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var p session.PlayerSession
		if err := p.UnmarshalJSON(text); err != nil {
			require.ErrorIs(t, err, session.ErrInvalidField)
			require.Equal(t, session.PlayerSession{}, p)
			return
		}
		for _, at := range []time.Time{p.CreationTime, p.TerminationTime} {
			require.Equal(t, at.UTC().Truncate(time.Millisecond), at)
		}
		written, err := json.Marshal(p)
		require.NoError(t, err)
		var again session.PlayerSession
		require.NoError(t, json.Unmarshal(written, &again))
		require.Equal(t, p, again)
	})
}
