package gameliftapi_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

func TestCreatePlayerSession(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 2)
	client := newClient(serve(t, table, everything()))

	out, err := client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{
		GameSessionId: aws.String(match),
		PlayerId:      aws.String("ann"),
		PlayerData:    aws.String(`{"team":"rød"}`),
	})
	require.NoError(t, err)
	held, err := table.Lookup(*out.PlayerSession.PlayerSessionId)
	require.NoError(t, err)
	require.Equal(t, session.StatusReserved, held.Status)
	require.True(t, held.CreationTime.Equal(*out.PlayerSession.CreationTime))
	require.Equal(t, &types.PlayerSession{
		CreationTime:    out.PlayerSession.CreationTime, // in another time zone
		DnsName:         aws.String("seven.example.com"),
		GameSessionId:   aws.String(match),
		IpAddress:       aws.String("10.0.0.7"),
		PlayerData:      aws.String(`{"team":"rød"}`),
		PlayerId:        aws.String("ann"),
		PlayerSessionId: &held.PlayerSessionID,
		Port:            aws.Int32(7777),
		Status:          types.PlayerSessionStatusReserved,
	}, out.PlayerSession)
}

// A party, as Amazon's client asks for it.
func party(players ...string) *gamelift.CreatePlayerSessionsInput {
	return &gamelift.CreatePlayerSessionsInput{
		GameSessionId: aws.String(match),
		PlayerIds:     players,
		PlayerDataMap: map[string]string{"ann": "red", "nobody": "blue"},
	}
}

func TestCreatePlayerSessions(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 3)
	client := newClient(serve(t, table, everything()))

	out, err := client.CreatePlayerSessions(t.Context(), party("ann", "bob"))
	require.NoError(t, err)
	require.Len(t, out.PlayerSessions, 2)
	require.Equal(t, "ann", *out.PlayerSessions[0].PlayerId)
	require.Equal(t, "red", *out.PlayerSessions[0].PlayerData)
	require.Equal(t, "bob", *out.PlayerSessions[1].PlayerId)
	require.Nil(t, out.PlayerSessions[1].PlayerData)

	var full *types.GameSessionFullException
	_, err = client.CreatePlayerSessions(t.Context(), party("cid", "dan"))
	require.ErrorAs(t, err, &full)
	require.Equal(t, 2, table.Stats().Reserved, "all or none")
}

// Many backends ask at once for the last seats: as many get one as there are.
func TestLastSeats(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 8)
	client := newClient(serve(t, table, everything()))
	var asking sync.WaitGroup
	errs := make([]error, 32)
	for i := range errs {
		asking.Go(func() { errs[i] = reserve(match, "player-"+strconv.Itoa(i))(t.Context(), client) })
	}
	asking.Wait()
	var full *types.GameSessionFullException
	refused := 0
	for _, err := range errs {
		if err != nil {
			require.ErrorAs(t, err, &full)
			refused++
		}
	}
	require.Equal(t, 24, refused)
	require.Equal(t, 8, table.Stats().Reserved)
}

// Who is not in when the server begins to empty has to look for another.
func TestDraining(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 8)
	client := newClient(serve(t, table, everything()))
	require.NoError(t, reserve(match, "ann")(t.Context(), client))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, table.Drain(ctx), context.Canceled)

	var refused *types.InvalidGameSessionStatusException
	require.ErrorAs(t, reserve(match, "bob")(t.Context(), client), &refused)
	require.NoError(t, reserve(match, "ann")(t.Context(), client), "she has her seat")
}

// A reply that is lost is asked for again, and the seat is the one that is held.
func TestRepeatedReservation(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	client := newClient(serve(t, table, everything()))
	in := &gamelift.CreatePlayerSessionInput{GameSessionId: aws.String(match), PlayerId: aws.String("ann")}
	first, err := client.CreatePlayerSession(t.Context(), in)
	require.NoError(t, err)
	second, err := client.CreatePlayerSession(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, first.PlayerSession, second.PlayerSession)
}

func TestDescribePlayerSessions(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 25)
	client := newClient(serve(t, table, everything()))
	var players []string
	for i := range 25 {
		players = append(players, "player-"+strconv.Itoa(i))
	}
	held, err := client.CreatePlayerSessions(t.Context(), party(players...))
	require.NoError(t, err)
	active := *held.PlayerSessions[7].PlayerSessionId
	_, err = table.Activate(active)
	require.NoError(t, err)

	list := func(in gamelift.DescribePlayerSessionsInput) (ids []string) {
		pages := gamelift.NewDescribePlayerSessionsPaginator(client, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, ps := range page.PlayerSessions {
				ids = append(ids, *ps.PlayerId)
			}
		}
		return ids
	}
	require.Equal(t, players, list(gamelift.DescribePlayerSessionsInput{GameSessionId: aws.String(match), Limit: aws.Int32(4)}))
	require.Equal(t, []string{"player-7"}, list(gamelift.DescribePlayerSessionsInput{
		GameSessionId: aws.String(match), PlayerSessionStatusFilter: aws.String("ACTIVE"),
	}))
	require.Len(t, list(gamelift.DescribePlayerSessionsInput{
		GameSessionId: aws.String(match), PlayerSessionStatusFilter: aws.String("RESERVED"), Limit: aws.Int32(5),
	}), 24)

	// The filter has no effect with these two, and the rest none with the first.
	require.Equal(t, []string{"player-7"}, list(gamelift.DescribePlayerSessionsInput{
		PlayerSessionId: &active, PlayerSessionStatusFilter: aws.String("TIMEDOUT"), NextToken: aws.String("old"),
	}))
	require.Equal(t, []string{"player-7"}, list(gamelift.DescribePlayerSessionsInput{
		PlayerId: aws.String("player-7"), PlayerSessionStatusFilter: aws.String("TIMEDOUT"),
	}))
	require.Empty(t, list(gamelift.DescribePlayerSessionsInput{PlayerId: aws.String("nobody")}))
}

// The whole life, as the backend sees it while the game server does its part.
func TestLife(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	door := validator.New(table, validator.Config{})
	client := newClient(serve(t, table, everything()))
	out, err := client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{GameSessionId: aws.String(match), PlayerId: aws.String("ann")})
	require.NoError(t, err)
	id := out.PlayerSession.PlayerSessionId
	require.Equal(t, types.PlayerSessionStatusReserved, describe(t, client, id).Status)

	_, err = door.AcceptPlayerSession(*id)
	require.NoError(t, err)
	require.Equal(t, types.PlayerSessionStatusActive, describe(t, client, id).Status)
	require.Nil(t, describe(t, client, id).TerminationTime)

	require.NoError(t, door.RemovePlayerSession(*id))
	over := describe(t, client, id)
	require.Equal(t, types.PlayerSessionStatusCompleted, over.Status)
	require.NotNil(t, over.TerminationTime)
	_, err = client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{GameSessionId: aws.String(match), PlayerId: aws.String("bob")})
	require.NoError(t, err, "the seat is free again")
}

func TestReservationTimesOut(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	table := newTable(t, slot.Config{ReservationTimeout: timeout})
	newMatch(t, table, 1)
	client := newClient(serve(t, table, everything()))
	out, err := client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{GameSessionId: aws.String(match), PlayerId: aws.String("ann")})
	require.NoError(t, err)

	require.Eventually(t, func() bool {
		return describe(t, client, out.PlayerSession.PlayerSessionId).Status == types.PlayerSessionStatusTimedout
	}, time.Minute, 10*time.Millisecond)
	over := describe(t, client, out.PlayerSession.PlayerSessionId)
	require.Equal(t, timeout, over.TerminationTime.Sub(*over.CreationTime))
	_, err = client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{GameSessionId: aws.String(match), PlayerId: aws.String("bob")})
	require.NoError(t, err, "the seat is free again")
}

func describe(t *testing.T, client *gamelift.Client, id *string) types.PlayerSession {
	t.Helper()
	out, err := client.DescribePlayerSessions(t.Context(), &gamelift.DescribePlayerSessionsInput{PlayerSessionId: id})
	require.NoError(t, err)
	require.Len(t, out.PlayerSessions, 1)
	return out.PlayerSessions[0]
}
