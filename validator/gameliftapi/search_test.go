package gameliftapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// newArcade creates four game sessions, a to d: two seats, the first taken in b
// and both in c; d denies newcomers.
func newArcade(t *testing.T) *gamelift.Client {
	t.Helper()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	for i, name := range []string{"a", "b", "c", "d"} {
		in := &gamelift.CreateGameSessionInput{
			MaximumPlayerSessionCount: aws.Int32(2),
			FleetId:                   aws.String(fleet),
			Name:                      aws.String(name),
			GameSessionId:             aws.String(name),
			GameProperties:            []types.GameProperty{property("map", "dunes"), property("level", fmt.Sprint(9-i))},
		}
		if name == "d" {
			in.Name, in.GameProperties = aws.String(`Matt's "d"`), nil
		}
		out, err := client.CreateGameSession(t.Context(), in)
		require.NoError(t, err)
		for seat := range min(i, 2) {
			_, err := table.Reserve(slot.Reservation{GameSessionID: *out.GameSession.GameSessionId, PlayerID: fmt.Sprint(seat)})
			require.NoError(t, err)
		}
		if name == "d" {
			deny := session.DenyAll
			maximum := 9
			require.NoError(t, table.UpdateGameSession(*out.GameSession.GameSessionId, slot.GameSessionUpdate{
				PlayerSessionCreationPolicy: &deny, MaximumPlayerSessionCount: &maximum,
			}))
		}
	}
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "over"}))
	require.NoError(t, table.TerminateGameSession("over"))
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "early", Status: session.GameSessionActivating}))
	return client
}

// find returns the last letters of the ids that a search finds.
func find(t *testing.T, client *gamelift.Client, in gamelift.SearchGameSessionsInput) string {
	t.Helper()
	var found strings.Builder
	in.FleetId = aws.String(fleet)
	pages := gamelift.NewSearchGameSessionsPaginator(client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, gs := range page.GameSessions {
			found.WriteString(strings.TrimPrefix(*gs.GameSessionId, "arn:aws:gamelift:local::gamesession/fleet-local/"))
		}
	}
	return found.String()
}

func TestSearchGameSessions(t *testing.T) {
	t.Parallel()
	client := newArcade(t)
	for filter, want := range map[string]string{
		"hasAvailablePlayerSessions=true":                                            "ab",
		"hasAvailablePlayerSessions <> true":                                         "cd",
		"hasAvailablePlayerSessions = false AND playerSessionCount<2":                "",
		"playerSessionCount = 1":                                                     "b",
		"playerSessionCount<>1":                                                      "acd",
		"playerSessionCount>=1":                                                      "bcd",
		"playerSessionCount <= 1":                                                    "ab",
		"maximumSessions > 2":                                                        "d",
		"maximumSessions < 3":                                                        "abc",
		"creationTimeMillis > 0":                                                     "abcd",
		"creationTimeMillis > 99999999999999":                                        "",
		"gameSessionName = 'b'":                                                      "b",
		"gameSessionName = 'B'":                                                      "",
		`gameSessionName = 'Matt\'s "d"'`:                                            "d",
		`gameSessionName = "Matt's \"d\""`:                                           "d",
		"gameSessionId = 'arn:aws:gamelift:local::gamesession/fleet-local/c'":        "c",
		"gameSessionProperties.map = 'dunes'":                                        "abc",
		`gameSessionProperties.map="dunes" AND gameSessionProperties.level='8'`:      "b",
		"gameSessionProperties.map <> 'dunes'":                                       "d",
		"NOT gameSessionName = 'a'":                                                  "bcd",
		"NOT NOT gameSessionName = 'a'":                                              "a",
		"gameSessionName = 'a' OR gameSessionName = 'b' AND maximumSessions > 2":     "a",
		"(gameSessionName = 'a' OR gameSessionName = 'b') AND maximumSessions = 2":   "ab",
		"NOT (gameSessionName = 'a' OR gameSessionName = 'b')":                       "cd",
		"NOT gameSessionName = 'a' AND NOT gameSessionName = 'b'":                    "cd",
		strings.Repeat("(", 400) + "playerSessionCount=0" + strings.Repeat(")", 400): "a",
		"maximumSessions>=2 AND hasAvailablePlayerSessions=true AND gameSessionProperties.level = '9'": "a",
	} {
		require.Equal(t, want, find(t, client, gamelift.SearchGameSessionsInput{
			FilterExpression: &filter, SortExpression: aws.String("gameSessionId ASC"),
		}), filter)
	}
}

func TestSearchSorted(t *testing.T) {
	t.Parallel()
	client := newArcade(t)
	for sort, want := range map[string]string{
		"gameSessionId DESC":               "dcba",
		"gameSessionName ASC":              "dabc", // capitals first
		"playerSessionCount ASC":           "abcd", // equals stay: the oldest first
		"playerSessionCount DESC":          "cdba",
		"maximumSessions DESC":             "dabc",
		"creationTimeMillis ASC":           "abcd",
		"gameSessionProperties.level ASC":  "cbad", // d has none
		"gameSessionProperties.level DESC": "abcd",
		"hasAvailablePlayerSessions ASC":   "cdab",
		"hasAvailablePlayerSessions DESC":  "abcd",
	} {
		require.Equal(t, want, find(t, client, gamelift.SearchGameSessionsInput{SortExpression: &sort}), sort)
		require.Equal(t, want, find(t, client, gamelift.SearchGameSessionsInput{
			SortExpression: &sort, Limit: aws.Int32(1),
		}), "%s, in pages of one", sort)
	}
}

func TestSearchPages(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	for i := range 45 {
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: fmt.Sprint("match-", i)}))
	}
	in := gamelift.SearchGameSessionsInput{FleetId: aws.String(fleet), Limit: aws.Int32(100)}
	sizes := []int{}
	pages := gamelift.NewSearchGameSessionsPaginator(client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		sizes = append(sizes, len(page.GameSessions))
	}
	require.Equal(t, []int{20, 20, 5}, sizes)
}

func TestFaultyExpressions(t *testing.T) {
	t.Parallel()
	client := newArcade(t)
	var invalid *types.InvalidRequestException
	for _, filter := range []string{
		" ", "playerSessionCount", "playerSessionCount =", "= 4", "playerSessionCount = four", "playerSessionCount = '4'",
		"playerSessionCount = 1.5", "playerSessionCount == 1", "playerSessionCount ! 1", "playerSessionCount = 1 AND",
		"playerSessionCount = 1 playerSessionCount = 1", "playerSessionCount = 1)", "(playerSessionCount = 1",
		"playerSessionCount = 1 and playerSessionCount = 1", "()", "NOT", "AND", "gameSessionName = b", "gameSessionName = 'b",
		`gameSessionName = 'b\`, "gameSessionName > 'b'", "hasAvailablePlayerSessions = 1", "hasAvailablePlayerSessions = 'true'",
		"hasAvailablePlayerSessions >= true", "gameSessionProperties = 'x'", "gameSessionProperties. = 'x'",
		"'gameSessionName' = 'b'", "gameSessionName '=' 'b'", "playerSessionCount 'AND' 1", "playerSessionCount = 99999999999999999999",
	} {
		err := search(filter)(t.Context(), client)
		require.ErrorAs(t, err, &invalid, filter)
		require.ErrorContains(t, err, "FilterExpression", filter)
	}
	for _, sort := range []string{
		" ", "playerSessionCount", "playerSessionCount asc", "ASC", "colour ASC", "gameSessionName ASC, maximumSessions ASC",
	} {
		_, err := client.SearchGameSessions(t.Context(), &gamelift.SearchGameSessionsInput{FleetId: aws.String(fleet), SortExpression: &sort})
		require.ErrorAs(t, err, &invalid, sort)
		require.ErrorContains(t, err, "SortExpression", sort)
	}
}

// What a search says is free can be had, and the other way round.
func TestAvailableMeansThatASeatCanBeHad(t *testing.T) {
	t.Parallel()
	client := newArcade(t)
	free := find(t, client, gamelift.SearchGameSessionsInput{FilterExpression: aws.String("hasAvailablePlayerSessions = true")})
	for _, name := range []string{"a", "b", "c", "d"} {
		err := reserve("arn:aws:gamelift:local::gamesession/fleet-local/"+name, "new")(t.Context(), client)
		require.Equal(t, strings.Contains(free, name), err == nil, name)
	}
}
