package gameliftapi_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// askFor returns an input with all that CreateGameSession takes.
func askFor(seats int32) *gamelift.CreateGameSessionInput {
	return &gamelift.CreateGameSessionInput{
		MaximumPlayerSessionCount: &seats,
		FleetId:                   aws.String(fleet),
		Name:                      aws.String("Matt's game"),
		GameProperties:            []types.GameProperty{property("map", "dunes"), property("mode", "")},
		CreatorId:                 aws.String("matt"),
		GameSessionData:           aws.String("seed=4711"),
		Location:                  aws.String("custom-basement"),
		IdempotencyToken:          aws.String("round-1"),
	}
}

func property(key, value string) types.GameProperty {
	return types.GameProperty{Key: &key, Value: &value}
}

func TestCreateGameSession(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))

	out, err := client.CreateGameSession(t.Context(), askFor(4))
	require.NoError(t, err)
	id := "arn:aws:gamelift:local::gamesession/fleet-local/round-1"
	require.Equal(t, &types.GameSession{
		CreationTime:                out.GameSession.CreationTime,
		CreatorId:                   aws.String("matt"),
		CurrentPlayerSessionCount:   aws.Int32(0),
		FleetArn:                    aws.String("arn:aws:gamelift:local::fleet/fleet-local"),
		FleetId:                     aws.String(fleet),
		GameProperties:              []types.GameProperty{property("map", "dunes"), property("mode", "")},
		GameSessionData:             aws.String("seed=4711"),
		GameSessionId:               &id,
		Location:                    aws.String("custom-basement"),
		MaximumPlayerSessionCount:   aws.Int32(4),
		Name:                        aws.String("Matt's game"),
		PlayerSessionCreationPolicy: types.PlayerSessionCreationPolicyAcceptAll,
		Status:                      types.GameSessionStatusActive,
	}, out.GameSession)

	held, err := table.GameSession(id)
	require.NoError(t, err)
	require.NoError(t, held.Validate(), "it breaks GameLift's patterns")
	require.True(t, held.CreationTime.Equal(*out.GameSession.CreationTime))

	ps, err := client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{GameSessionId: &id, PlayerId: aws.String("ann")})
	require.NoError(t, err)
	require.Equal(t, fleet, *ps.PlayerSession.FleetId)
	described, err := client.DescribeGameSessions(t.Context(), &gamelift.DescribeGameSessionsInput{GameSessionId: &id})
	require.NoError(t, err)
	want := *out.GameSession
	want.CurrentPlayerSessionCount = aws.Int32(1)
	require.Equal(t, []types.GameSession{want}, described.GameSessions)
}

func TestGameSessionsHaveIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	client := newClient(serve(t, newTable(t, slot.Config{}), everything()))
	in := &gamelift.CreateGameSessionInput{MaximumPlayerSessionCount: aws.Int32(1), FleetId: aws.String(fleet)}
	first, err := client.CreateGameSession(t.Context(), in)
	require.NoError(t, err)
	second, err := client.CreateGameSession(t.Context(), in)
	require.NoError(t, err)
	require.NotEqual(t, *first.GameSession.GameSessionId, *second.GameSession.GameSessionId)
	require.Regexp(t, `^arn:aws:gamelift:local::gamesession/fleet-local/gsess-[a-z0-9]+$`, *first.GameSession.GameSessionId)
}

func TestIdempotencyToken(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	first, err := client.CreateGameSession(t.Context(), askFor(4))
	require.NoError(t, err)

	_, err = table.Reserve(slot.Reservation{GameSessionID: *first.GameSession.GameSessionId, PlayerID: "ann"})
	require.NoError(t, err)
	again, err := client.CreateGameSession(t.Context(), askFor(4))
	require.NoError(t, err)
	require.Equal(t, *first.GameSession.GameSessionId, *again.GameSession.GameSessionId)
	require.EqualValues(t, 1, *again.GameSession.CurrentPlayerSessionCount, "the status is as it is now")

	var mismatch *types.IdempotentParameterMismatchException
	_, err = client.CreateGameSession(t.Context(), askFor(5))
	require.ErrorAs(t, err, &mismatch)

	require.NoError(t, table.TerminateGameSession(*first.GameSession.GameSessionId))
	over, err := client.CreateGameSession(t.Context(), askFor(4))
	require.NoError(t, err)
	require.Equal(t, types.GameSessionStatusTerminated, over.GameSession.Status)
}

// A token that made no game session here is no licence to show another's.
func TestIdempotencyTokenOfAGameSessionMadeElsewhere(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	require.NoError(t, table.CreateGameSession(session.GameSession{
		GameSessionID: "arn:aws:gamelift:local::gamesession/fleet-local/round-1",
	}))
	var mismatch *types.IdempotentParameterMismatchException
	_, err := client.CreateGameSession(t.Context(), askFor(4))
	require.ErrorAs(t, err, &mismatch)
}

func TestGameSessionIDIsTaken(t *testing.T) {
	t.Parallel()
	client := newClient(serve(t, newTable(t, slot.Config{}), everything()))
	in := askFor(4)
	in.IdempotencyToken, in.GameSessionId = nil, aws.String("round-1")
	out, err := client.CreateGameSession(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:gamelift:local::gamesession/fleet-local/round-1", *out.GameSession.GameSessionId)

	var conflict *types.ConflictException
	_, err = client.CreateGameSession(t.Context(), in)
	require.ErrorAs(t, err, &conflict)
}

// What is kept beside the table goes when the table forgets the game session, and
// a new one of the same id has nothing of it.
func TestParticularsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{Retention: time.Minute})
		handler := gameliftapi.New(table, gameliftapi.Config{Anonymous: true, Operations: gameliftapi.Operations()})
		kept := gameliftapi.Kept(handler)
		name := func(i int) string { return "arn:aws:gamelift:local::gamesession/fleet-local/t" + strconv.Itoa(i) }
		for i := range 1000 {
			body := `{"FleetId":"fleet-local","MaximumPlayerSessionCount":1,"CreatorId":"matt","IdempotencyToken":"t` + strconv.Itoa(i) + `"}`
			answer := post(handler, "CreateGameSession", body)
			require.Equal(t, http.StatusOK, answer.Code, answer.Body)
			require.NoError(t, table.TerminateGameSession(name(i)))
			if i%50 == 49 {
				require.GreaterOrEqual(t, kept(), 50)
				require.LessOrEqual(t, kept(), 101)
				answer = post(handler, "DescribeGameSessions", `{"GameSessionId":"`+name(i)+`"}`)
				require.Contains(t, answer.Body.String(), "matt")
				time.Sleep(2 * time.Minute)
			}
		}
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: name(999)}))
		answer := post(handler, "DescribeGameSessions", `{"GameSessionId":"`+name(999)+`"}`)
		require.NotContains(t, answer.Body.String(), "matt")
	})
}

func TestDescribeGameSessions(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	for i := range 7 {
		require.NoError(t, table.CreateGameSession(session.GameSession{
			GameSessionID: "match-" + strconv.Itoa(i), MaximumPlayerSessionCount: i,
		}))
	}
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "elsewhere", FleetID: "fleet-other"}))
	require.NoError(t, table.TerminateGameSession("match-3"))

	list := func(in gamelift.DescribeGameSessionsInput) (ids []string) {
		pages := gamelift.NewDescribeGameSessionsPaginator(client, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.GameSessions), 2)
			for _, gs := range page.GameSessions {
				ids = append(ids, *gs.GameSessionId)
			}
		}
		return ids
	}
	all := gamelift.DescribeGameSessionsInput{FleetId: aws.String(fleet), Limit: aws.Int32(2)}
	require.ElementsMatch(t, strings.Fields("match-0 match-1 match-2 match-3 match-4 match-5 match-6"), list(all))
	all.StatusFilter = aws.String("TERMINATED")
	require.Equal(t, []string{"match-3"}, list(all))
	all.StatusFilter = aws.String("ERROR")
	require.Empty(t, list(all))
	arn := gamelift.DescribeGameSessionsInput{FleetId: aws.String("arn:aws:gamelift:local::fleet/fleet-other")}
	require.Equal(t, []string{"elsewhere"}, list(arn))
	arn.Location = aws.String("nowhere")
	require.Empty(t, list(arn))
}

// A token is good for the query that returned it, and for no other.
func TestTokensOfOtherQueries(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	for i := range 3 {
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match-" + strconv.Itoa(i)}))
	}
	in := &gamelift.DescribeGameSessionsInput{FleetId: aws.String(fleet), Limit: aws.Int32(1)}
	page, err := client.DescribeGameSessions(t.Context(), in)
	require.NoError(t, err)
	in.NextToken = page.NextToken
	_, err = client.DescribeGameSessions(t.Context(), in)
	require.NoError(t, err)

	var invalid *types.InvalidRequestException
	in.StatusFilter = aws.String("ACTIVE")
	_, err = client.DescribeGameSessions(t.Context(), in)
	require.ErrorAs(t, err, &invalid)
	_, err = client.SearchGameSessions(t.Context(), &gamelift.SearchGameSessionsInput{FleetId: aws.String(fleet), NextToken: page.NextToken})
	require.ErrorAs(t, err, &invalid)
}

func TestDescribeGameSessionDetails(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 4)
	client := newClient(serve(t, table, everything()))
	in := &gamelift.DescribeGameSessionDetailsInput{FleetId: aws.String(fleet)}
	out, err := client.DescribeGameSessionDetails(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, out.GameSessionDetails, 1)
	require.Equal(t, match, *out.GameSessionDetails[0].GameSession.GameSessionId)
	require.Equal(t, types.ProtectionPolicyNoProtection, out.GameSessionDetails[0].ProtectionPolicy)

	_, err = client.UpdateGameSession(t.Context(), &gamelift.UpdateGameSessionInput{
		GameSessionId:    aws.String(match),
		ProtectionPolicy: types.ProtectionPolicyFullProtection,
	})
	require.NoError(t, err)
	out, err = client.DescribeGameSessionDetails(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, types.ProtectionPolicyFullProtection, out.GameSessionDetails[0].ProtectionPolicy)
}

func TestUpdateGameSession(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	created, err := client.CreateGameSession(t.Context(), askFor(4))
	require.NoError(t, err)
	id := created.GameSession.GameSessionId

	out, err := client.UpdateGameSession(t.Context(), &gamelift.UpdateGameSessionInput{
		GameSessionId:               id,
		MaximumPlayerSessionCount:   aws.Int32(8),
		Name:                        aws.String("Ann's game"),
		PlayerSessionCreationPolicy: types.PlayerSessionCreationPolicyDenyAll,
		GameProperties:              []types.GameProperty{property("map", "ice"), property("round", "2")},
	})
	require.NoError(t, err)
	want := *created.GameSession
	want.MaximumPlayerSessionCount = aws.Int32(8)
	want.Name = aws.String("Ann's game")
	want.PlayerSessionCreationPolicy = types.PlayerSessionCreationPolicyDenyAll
	want.GameProperties = []types.GameProperty{property("map", "ice"), property("mode", ""), property("round", "2")}
	require.Equal(t, &want, out.GameSession)

	again, err := client.CreateGameSession(t.Context(), askFor(4))
	require.NoError(t, err, "an update changes nothing about what was asked for")
	require.Equal(t, &want, again.GameSession)
}

// One property too many: the rest of the update is not made either.
func TestUpdateGameSessionChangesAllOrNothing(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	client := newClient(serve(t, table, everything()))
	created, err := client.CreateGameSession(t.Context(), askFor(4))
	require.NoError(t, err)
	in := &gamelift.UpdateGameSessionInput{GameSessionId: created.GameSession.GameSessionId, Name: aws.String("new")}
	in.GameProperties = []types.GameProperty{property("map", "ice")}
	for i := range 15 {
		in.GameProperties = append(in.GameProperties, property(strconv.Itoa(i), "x"))
	}
	var invalid *types.InvalidRequestException
	_, err = client.UpdateGameSession(t.Context(), in)
	require.ErrorAs(t, err, &invalid)

	in.GameProperties, in.MaximumPlayerSessionCount = in.GameProperties[:1], aws.Int32(1<<24)
	_, err = client.UpdateGameSession(t.Context(), in)
	require.ErrorAs(t, err, &invalid)
	out, err := client.DescribeGameSessions(t.Context(), &gamelift.DescribeGameSessionsInput{GameSessionId: in.GameSessionId})
	require.NoError(t, err)
	require.Equal(t, []types.GameSession{*created.GameSession}, out.GameSessions)
}

func TestTerminateGameSession(t *testing.T) {
	t.Parallel()
	for mode, want := range map[types.TerminationMode]struct {
		status types.GameSessionStatus
		reason types.GameSessionStatusReason
		player session.Status
	}{
		types.TerminationModeForceTerminate: {
			types.GameSessionStatusTerminated, types.GameSessionStatusReasonForceTerminated, session.StatusTimedOut,
		},
		types.TerminationModeTriggerOnProcessTerminate: {
			types.GameSessionStatusTerminating, types.GameSessionStatusReasonTriggeredOnProcessTerminate, session.StatusReserved,
		},
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			table := newTable(t, slot.Config{})
			newMatch(t, table, 4)
			client := newClient(serve(t, table, everything()))
			ps, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "ann"})
			require.NoError(t, err)

			in := &gamelift.TerminateGameSessionInput{GameSessionId: aws.String(match), TerminationMode: mode}
			out, err := client.TerminateGameSession(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, want.status, out.GameSession.Status)
			require.Equal(t, want.reason, out.GameSession.StatusReason)
			ps, err = table.Lookup(ps.PlayerSessionID)
			require.NoError(t, err)
			require.Equal(t, want.player, ps.Status)

			var refused *types.InvalidGameSessionStatusException
			_, err = client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{GameSessionId: aws.String(match), PlayerId: aws.String("bob")})
			require.ErrorAs(t, err, &refused)

			_, err = table.Release(ps.PlayerSessionID)
			require.NoError(t, err)
			described, err := client.DescribeGameSessions(t.Context(), &gamelift.DescribeGameSessionsInput{GameSessionId: aws.String(match)})
			require.NoError(t, err)
			require.Equal(t, types.GameSessionStatusTerminated, described.GameSessions[0].Status)
			require.NotNil(t, described.GameSessions[0].TerminationTime)
			_, err = client.TerminateGameSession(t.Context(), in)
			require.ErrorAs(t, err, &refused, "it is over")
		})
	}
}
