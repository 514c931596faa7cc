package session_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// bad is a value and the reasons it is refused for, none if it is not.
type bad[T any] struct {
	value   T
	reasons []string
}

func texts(limit int, reasons string) []bad[string] {
	return []bad[string]{
		{"", nil},
		{"x", nil},
		{"日本 🎮\n\x00", nil},
		{strings.Repeat("x", limit), nil},
		{strings.Repeat("🎮", limit), nil}, // characters, not bytes
		{strings.Repeat("x", limit+1), []string{reasons}},
		{strings.Repeat("🎮", limit+1), []string{reasons}},
		{secretID + "\xff", []string{"is not valid UTF-8"}},
		{strings.Repeat("\xff", limit+1), []string{"is not valid UTF-8", reasons}},
	}
}

var (
	notUTF8   = "is not valid UTF-8"
	notID     = `does not match ^[a-z]*fleet-[a-zA-Z0-9\-]+$`
	notARN    = `does not match ^arn:.*:[a-z]*fleet\/[a-z]*fleet-[a-zA-Z0-9\-]+$`
	notIP     = `does not match ^[0-9A-Fa-f\:\.]+$`
	fleetIDs  = patterned("fleet-", "a", 128, notID)
	fleetARNs = patterned("arn:aws:gamelift:us-west-2:123456789012:fleet/fleet-", "a", 512, notARN)
	addresses = patterned("", "1", 128, notIP)
	names     = texts(1024, "is longer than 1024 characters")
	players   = texts(2048, "is longer than 2048 characters")
	ports     = []bad[int]{
		{0, nil},
		{1, nil},
		{60000, nil},
		{60001, []string{"is greater than 60000"}},
		{-1, []string{"is negative"}},
		{-1 << 31, []string{"is negative"}},
	}
	counts = []bad[int]{{0, nil}, {200, nil}, {1<<31 - 1, nil}, {-1, []string{"is negative"}}}
)

func patterned(prefix, unit string, limit int, mismatch string) []bad[string] {
	tooLong := "is longer than 128 characters"
	if limit == 512 {
		tooLong = "is longer than 512 characters"
	}
	room := limit - len(prefix)
	return []bad[string]{
		{"", nil},
		{prefix + unit, nil},
		{prefix + strings.Repeat(unit, room), nil},
		{prefix + strings.Repeat(unit, room+1), []string{tooLong}},
		{prefix + unit + " ", []string{mismatch}},
		{prefix + unit + "\n", []string{mismatch}},
		{" " + prefix + unit, []string{mismatch}},
		{prefix + unit + "\xff", []string{notUTF8, mismatch}},
		{prefix + "日本", []string{mismatch}},
		{strings.Repeat("!", 1<<16), []string{tooLong, mismatch}},
		{secretID, []string{mismatch}},
	}
}

func TestPlayerSessionValidate(t *testing.T) {
	t.Parallel()
	type ps = session.PlayerSession
	fields(t, "DnsName", []bad[string]{
		{"", nil},
		{"ec2-1.compute.amazonaws.com", nil},
		{strings.Repeat("x", 1<<16), nil},
		{"\xff", []string{notUTF8}},
	}, func(v string) error { return ps{DNSName: v}.Validate() })
	fields(t, "FleetArn", fleetARNs, func(v string) error { return ps{FleetARN: v}.Validate() })
	fields(t, "FleetId", fleetIDs, func(v string) error { return ps{FleetID: v}.Validate() })
	fields(t, "GameSessionId", names, func(v string) error { return ps{GameSessionID: v}.Validate() })
	fields(t, "IpAddress", addresses, func(v string) error { return ps{IPAddress: v}.Validate() })
	fields(t, "PlayerData", players, func(v string) error { return ps{PlayerData: v}.Validate() })
	fields(t, "PlayerId", names, func(v string) error { return ps{PlayerID: v}.Validate() })
	fields(t, "PlayerSessionId", []bad[string]{
		{"", nil},
		{secretID, nil},
		{"psess-", []string{"is not a valid player session id"}},
		{strings.ToUpper(secretID), []string{"is not a valid player session id"}},
		{secretID + "\n", []string{"is not a valid player session id"}},
		{secretID + strings.Repeat("x", 128), []string{"is not a valid player session id"}},
	}, func(v string) error { return ps{PlayerSessionID: v}.Validate() })
	fields(t, "Port", ports, func(v int) error { return ps{Port: v}.Validate() })
	unknown := "is not one of RESERVED, ACTIVE, COMPLETED, TIMEDOUT"
	fields(t, "Status", []bad[session.Status]{
		{0, nil},
		{session.StatusReserved, nil},
		{session.StatusTimedOut, nil},
		{5, []string{unknown}},
		{255, []string{unknown}},
	}, func(v session.Status) error { return ps{Status: v}.Validate() })
}

func TestGameSessionValidate(t *testing.T) {
	t.Parallel()
	type gs = session.GameSession
	fields(t, "DnsName", []bad[string]{{"localhost", nil}, {"\xff", []string{notUTF8}}},
		func(v string) error { return gs{DNSName: v}.Validate() })
	fields(t, "FleetArn", fleetARNs, func(v string) error { return gs{FleetARN: v}.Validate() })
	fields(t, "FleetId", fleetIDs, func(v string) error { return gs{FleetID: v}.Validate() })
	fields(t, "GameSessionId", names, func(v string) error { return gs{GameSessionID: v}.Validate() })
	fields(t, "IpAddress", addresses, func(v string) error { return gs{IPAddress: v}.Validate() })
	fields(t, "Name", names, func(v string) error { return gs{Name: v}.Validate() })
	fields(t, "Port", ports, func(v int) error { return gs{Port: v}.Validate() })
	fields(t, "MaximumPlayerSessionCount", counts,
		func(v int) error { return gs{MaximumPlayerSessionCount: v}.Validate() })
	fields(t, "CurrentPlayerSessionCount", counts,
		func(v int) error { return gs{CurrentPlayerSessionCount: v}.Validate() })
	fields(t, "PlayerSessionCreationPolicy", []bad[session.CreationPolicy]{
		{session.AcceptAll, nil},
		{session.DenyAll, nil},
		{2, []string{"is not one of ACCEPT_ALL, DENY_ALL"}},
	}, func(v session.CreationPolicy) error { return gs{PlayerSessionCreationPolicy: v}.Validate() })
	fields(t, "Status", []bad[session.GameSessionStatus]{
		{session.GameSessionActive, nil},
		{session.GameSessionTerminated, nil},
		{4, []string{"is not one of ACTIVE, ACTIVATING, TERMINATING, TERMINATED"}},
	}, func(v session.GameSessionStatus) error { return gs{Status: v}.Validate() })
}

// fields asks validate about each value; it must name the field and all the reasons,
// and no value.
func fields[T any](t *testing.T, field string, values []bad[T], validate func(T) error) {
	t.Helper()
	for i, v := range values {
		err := validate(v.value)
		var reasons []string
		for _, e := range broken(t, err) {
			require.Equal(t, field, e.Field)
			reasons = append(reasons, e.Reason)
		}
		require.Equal(t, v.reasons, reasons, "%s, value %d", field, i)
	}
}

// broken takes a joined error apart.
func broken(t *testing.T, err error) []*session.FieldError {
	t.Helper()
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	var all []*session.FieldError
	for _, e := range joined.Unwrap() {
		all = append(all, requireFieldError(t, e))
	}
	return all
}

func TestFleetPatterns(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"fleet-1":                 true,
		"containerfleet-1":        true,
		"fleet-A-b-9":             true,
		"fleet--":                 true,
		"fleet-":                  false,
		"Fleet-1":                 false,
		"my-fleet-1":              false,
		"fleet1-1":                false,
		"fleet_1":                 false,
		"fleet-1/2":               false,
		"fleet-1\nfleet-2":        false,
		"containerfleet-1 -extra": false,
	} {
		require.Equal(t, ok, session.PlayerSession{FleetID: id}.Validate() == nil, id)
	}
	for arn, ok := range map[string]bool{
		"arn:aws:gamelift:us-west-2:1:fleet/fleet-1":                   true,
		"arn:aws-cn:gamelift:cn-north-1:1:fleet/fleet-1":               true,
		"arn:aws:gamelift:us-west-2:1:containerfleet/containerfleet-1": true,
		"arn::fleet/fleet-1":                          true,
		"arn:fleet/fleet-1":                           false,
		"arn:aws:gamelift:us-west-2:1:alias/alias-1":  false,
		"arn:aws:gamelift:us-west-2:1:fleet/fleet-":   false,
		"xarn:aws:gamelift:us-west-2:1:fleet/fleet-1": false,
		"arn:aws:gamelift:\n:1:fleet/fleet-1":         false,
	} {
		require.Equal(t, ok, session.PlayerSession{FleetARN: arn}.Validate() == nil, arn)
	}
	for ip, ok := range map[string]bool{
		"127.0.0.1": true, "::1": true, "2001:DB8::ff": true, "localhost": false, "fe80::1%eth0": false, "[::1]": false,
	} {
		require.Equal(t, ok, session.PlayerSession{IPAddress: ip}.Validate() == nil, ip)
	}
}

func TestValidateNamesAll(t *testing.T) {
	t.Parallel()
	require.NoError(t, session.PlayerSession{}.Validate())
	require.NoError(t, session.GameSession{}.Validate())
	require.NoError(t, documented.Validate())

	tooLong := strings.Repeat("\xff", 4096)
	err := session.PlayerSession{
		DNSName: tooLong, FleetARN: tooLong, FleetID: tooLong, GameSessionID: tooLong, IPAddress: tooLong,
		PlayerData: tooLong, PlayerID: tooLong, PlayerSessionID: tooLong, Port: -1, Status: 9,
	}.Validate()
	count := make(map[string]int)
	for _, e := range broken(t, err) {
		count[e.Field]++
	}
	require.Equal(t, map[string]int{
		"DnsName": 1, "FleetArn": 3, "FleetId": 3, "GameSessionId": 2, "IpAddress": 3,
		"PlayerData": 2, "PlayerId": 2, "PlayerSessionId": 1, "Port": 1, "Status": 1,
	}, count)
}
