package gameliftapi_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// refusal is a request that must be refused, and as what.
type refusal struct {
	ask     func(context.Context, *gamelift.Client) error
	want    any    // a pointer to the type of the exception
	message string // a part of it
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	for _, gs := range []session.GameSession{
		{GameSessionID: match, MaximumPlayerSessionCount: 4},
		{GameSessionID: "full", MaximumPlayerSessionCount: 0},
		{GameSessionID: "closed", MaximumPlayerSessionCount: 4, PlayerSessionCreationPolicy: session.DenyAll},
		{GameSessionID: "early", MaximumPlayerSessionCount: 4, Status: session.GameSessionActivating},
		{GameSessionID: "over", MaximumPlayerSessionCount: 4},
	} {
		require.NoError(t, table.CreateGameSession(gs))
	}
	require.NoError(t, table.TerminateGameSession("over"))
	_, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "ann", PlayerData: "blue"})
	require.NoError(t, err)
	config := everything()
	config.MaxPlayers = 200
	client := newClient(serve(t, table, config))
	before := table.Stats()

	for name, r := range refusals() {
		err := r.ask(t.Context(), client)
		require.ErrorAs(t, err, r.want, name)
		require.ErrorContains(t, err, r.message, name)
		var response *awshttp.ResponseError
		require.ErrorAs(t, err, &response, name)
		require.Equal(t, http.StatusBadRequest, response.HTTPStatusCode(), name)
		require.NotEmpty(t, response.ServiceRequestID(), name)
	}
	after := table.Stats()
	before.Refused, after.Refused = nil, nil
	require.Equal(t, before, after, "what is refused changes nothing")
}

func refusals() map[string]refusal {
	return map[string]refusal{
		"no seat":            {reserve("full", "bob"), new(*types.GameSessionFullException), "full"},
		"denied":             {reserve("closed", "bob"), new(*types.InvalidGameSessionStatusException), "denies"},
		"not active yet":     {reserve("early", "bob"), new(*types.InvalidGameSessionStatusException), "not active"},
		"not active anymore": {reserve("over", "bob"), new(*types.InvalidGameSessionStatusException), "not active"},
		"unknown game":       {reserve("nowhere", "bob"), new(*types.NotFoundException), "game session not found"},
		"who is there":       {reserve(match, "ann"), new(*types.InvalidRequestException), "holds a seat"},
		"no player":          {reserve(match, ""), new(*types.InvalidRequestException), "PlayerId is empty"},
		"long player":        {reserve(match, strings.Repeat("é", 1025)), new(*types.InvalidRequestException), "PlayerId is longer than 1024 characters"},
		"long data":          {reserveWith(match, "bob", strings.Repeat("é", 2049)), new(*types.InvalidRequestException), "PlayerData is longer"},
		"26 players":         {reserveParty(strings.Split(strings.Repeat("x", 26), "")...), new(*types.InvalidRequestException), "1 to 25"},
		"no players":         {reserveParty(), new(*types.InvalidRequestException), "1 to 25"},
		"a player twice":     {reserveParty("bob", "cid", "bob"), new(*types.InvalidRequestException), "PlayerIds[2] is named twice"},
		"a party with one who is there": {
			reserveParty("bob", "ann"), new(*types.InvalidRequestException), `party member 1 ("ann")`,
		},
		"unknown player session":   {describePlayers(gamelift.DescribePlayerSessionsInput{PlayerSessionId: aws.String("psess-unknown")}), new(*types.NotFoundException), "player session not found"},
		"no player session id":     {describePlayers(gamelift.DescribePlayerSessionsInput{PlayerSessionId: aws.String("hello")}), new(*types.InvalidRequestException), "PlayerSessionId"},
		"players of unknown game":  {describePlayers(gamelift.DescribePlayerSessionsInput{GameSessionId: aws.String("nowhere")}), new(*types.NotFoundException), "game session not found"},
		"players of nobody":        {describePlayers(gamelift.DescribePlayerSessionsInput{}), new(*types.InvalidRequestException), "exactly one"},
		"players of two":           {describePlayers(gamelift.DescribePlayerSessionsInput{GameSessionId: aws.String(match), PlayerId: aws.String("ann")}), new(*types.InvalidRequestException), "exactly one"},
		"players of no status":     {describePlayers(gamelift.DescribePlayerSessionsInput{GameSessionId: aws.String(match), PlayerSessionStatusFilter: aws.String("active")}), new(*types.InvalidRequestException), "PlayerSessionStatusFilter"},
		"no players a page":        {describePlayers(gamelift.DescribePlayerSessionsInput{GameSessionId: aws.String(match), Limit: aws.Int32(0)}), new(*types.InvalidRequestException), "Limit"},
		"a token nobody gave":      {describePlayers(gamelift.DescribePlayerSessionsInput{GameSessionId: aws.String(match), NextToken: aws.String("AAAA")}), new(*types.InvalidRequestException), "NextToken"},
		"unknown game session":     {describeGames(gamelift.DescribeGameSessionsInput{GameSessionId: aws.String("nowhere")}), new(*types.NotFoundException), "game session not found"},
		"unknown fleet":            {describeGames(gamelift.DescribeGameSessionsInput{FleetId: aws.String("fleet-b")}), new(*types.NotFoundException), "fleet"},
		"alias":                    {describeGames(gamelift.DescribeGameSessionsInput{AliasId: aws.String("alias-b")}), new(*types.NotFoundException), "alias"},
		"no fleet":                 {describeGames(gamelift.DescribeGameSessionsInput{FleetId: aws.String("west")}), new(*types.InvalidRequestException), "FleetId does not match"},
		"games of no status":       {describeGames(gamelift.DescribeGameSessionsInput{FleetId: aws.String(fleet), StatusFilter: aws.String("IDLE")}), new(*types.InvalidRequestException), "StatusFilter"},
		"a token of another query": {describeGames(gamelift.DescribeGameSessionsInput{FleetId: aws.String(fleet), NextToken: aws.String("AAAA")}), new(*types.InvalidRequestException), "NextToken"},
		"a game of another fleet":  {create(func(in *gamelift.CreateGameSessionInput) { in.FleetId = aws.String("fleet-b") }), new(*types.NotFoundException), "fleet"},
		"a game of an alias": {
			create(func(in *gamelift.CreateGameSessionInput) { in.FleetId, in.AliasId = nil, aws.String("alias-b") }), new(*types.NotFoundException), "alias",
		},
		"a game of nothing": {create(func(in *gamelift.CreateGameSessionInput) { in.FleetId = nil }), new(*types.InvalidRequestException), "FleetId and AliasId"},
		"a negative game":   {create(func(in *gamelift.CreateGameSessionInput) { in.MaximumPlayerSessionCount = aws.Int32(-1) }), new(*types.InvalidRequestException), "MaximumPlayerSessionCount"},
		"a great game":      {create(func(in *gamelift.CreateGameSessionInput) { in.MaximumPlayerSessionCount = aws.Int32(201) }), new(*types.InvalidRequestException), "200"},
		"a game's token":    {create(func(in *gamelift.CreateGameSessionInput) { in.IdempotencyToken = aws.String("round_1") }), new(*types.InvalidRequestException), "IdempotencyToken"},
		"a game's two ids":  {create(func(in *gamelift.CreateGameSessionInput) { in.GameSessionId = aws.String("round-1") }), new(*types.InvalidRequestException), "GameSessionId"},
		"a long property": {
			create(func(in *gamelift.CreateGameSessionInput) {
				in.GameProperties = []types.GameProperty{property("map", strings.Repeat("x", 97))}
			}), new(*types.InvalidRequestException), "96",
		},
		"a property twice": {
			create(func(in *gamelift.CreateGameSessionInput) {
				in.GameProperties = []types.GameProperty{property("map", "a"), property("map", "b")}
			}), new(*types.InvalidRequestException), "twice",
		},
		"17 properties": {
			create(func(in *gamelift.CreateGameSessionInput) {
				in.GameProperties = slices.Repeat([]types.GameProperty{property("map", "a")}, 17)
			}), new(*types.InvalidRequestException), "16",
		},
		"an update of what is over":   {update(gamelift.UpdateGameSessionInput{GameSessionId: aws.String("over")}), new(*types.InvalidGameSessionStatusException), "not active"},
		"an update of nothing":        {update(gamelift.UpdateGameSessionInput{GameSessionId: aws.String("nowhere")}), new(*types.NotFoundException), "not found"},
		"an update of the policy":     {update(gamelift.UpdateGameSessionInput{GameSessionId: aws.String(match), PlayerSessionCreationPolicy: "SOME"}), new(*types.InvalidRequestException), "PlayerSessionCreationPolicy"},
		"an update of the protection": {update(gamelift.UpdateGameSessionInput{GameSessionId: aws.String(match), ProtectionPolicy: "SOME"}), new(*types.InvalidRequestException), "ProtectionPolicy"},
		"an update to great":          {update(gamelift.UpdateGameSessionInput{GameSessionId: aws.String(match), MaximumPlayerSessionCount: aws.Int32(201)}), new(*types.InvalidRequestException), "200"},
		"an end of what is over":      {terminate("over", types.TerminationModeForceTerminate), new(*types.InvalidGameSessionStatusException), "TERMINATED"},
		"an end of nothing":           {terminate("nowhere", types.TerminationModeForceTerminate), new(*types.NotFoundException), "not found"},
		"an end somehow":              {terminate(match, "SOMEHOW"), new(*types.InvalidRequestException), "TerminationMode"},
		"a search for what":           {search("colour = 'red'"), new(*types.InvalidRequestException), "FilterExpression"},
		"a search without a fleet": {func(ctx context.Context, c *gamelift.Client) error {
			_, err := c.SearchGameSessions(ctx, &gamelift.SearchGameSessionsInput{})
			return err
		}, new(*types.InvalidRequestException), "FleetId"},
		"what is not built": {func(ctx context.Context, c *gamelift.Client) error {
			_, err := c.ListFleets(ctx, &gamelift.ListFleetsInput{})
			return err
		}, new(*smithy.GenericAPIError), "UnknownOperationException"},
	}
}

type request = func(context.Context, *gamelift.Client) error

func reserve(game, player string) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		_, err := c.CreatePlayerSession(ctx, &gamelift.CreatePlayerSessionInput{GameSessionId: &game, PlayerId: &player})
		return err
	}
}

func reserveWith(game, player, data string) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		_, err := c.CreatePlayerSession(ctx, &gamelift.CreatePlayerSessionInput{GameSessionId: &game, PlayerId: &player, PlayerData: &data})
		return err
	}
}

func reserveParty(players ...string) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		in := party(players...)
		if in.PlayerIds == nil {
			in.PlayerIds = []string{}
		}
		_, err := c.CreatePlayerSessions(ctx, in)
		return err
	}
}

func describePlayers(in gamelift.DescribePlayerSessionsInput) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		_, err := c.DescribePlayerSessions(ctx, &in)
		return err
	}
}

func describeGames(in gamelift.DescribeGameSessionsInput) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		_, err := c.DescribeGameSessions(ctx, &in)
		return err
	}
}

func create(change func(*gamelift.CreateGameSessionInput)) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		in := askFor(4)
		change(in)
		_, err := c.CreateGameSession(ctx, in)
		return err
	}
}

func update(in gamelift.UpdateGameSessionInput) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		_, err := c.UpdateGameSession(ctx, &in)
		return err
	}
}

func terminate(game string, mode types.TerminationMode) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		_, err := c.TerminateGameSession(ctx, &gamelift.TerminateGameSessionInput{GameSessionId: &game, TerminationMode: mode})
		return err
	}
}

func search(filter string) request {
	return func(ctx context.Context, c *gamelift.Client) error {
		_, err := c.SearchGameSessions(ctx, &gamelift.SearchGameSessionsInput{FleetId: aws.String(fleet), FilterExpression: &filter})
		return err
	}
}

// A table that is closed, and whatever else goes wrong on this side, is the
// server's fault: SDKs try again.
func TestInternalServiceException(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 1)
	client := newClient(serve(t, table, everything()))
	require.NoError(t, table.Close())

	var internal *types.InternalServiceException
	err := reserve(match, "ann")(t.Context(), client)
	require.ErrorAs(t, err, &internal)
	var response *awshttp.ResponseError
	require.ErrorAs(t, err, &response)
	require.Equal(t, http.StatusInternalServerError, response.HTTPStatusCode())
}

func TestOperationsAllowed(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 4)
	ctx := t.Context()
	var refused *types.UnauthorizedException

	byDefault := newClient(serve(t, table, gameliftapi.Config{Credentials: keys}))
	require.NoError(t, reserve(match, "ann")(ctx, byDefault))
	require.NoError(t, search("playerSessionCount > 0")(ctx, byDefault))
	require.ErrorAs(t, terminate(match, types.TerminationModeForceTerminate)(ctx, byDefault), &refused)
	require.ErrorAs(t, create(func(*gamelift.CreateGameSessionInput) {})(ctx, byDefault), &refused)
	require.ErrorAs(t, update(gamelift.UpdateGameSessionInput{GameSessionId: aws.String(match)})(ctx, byDefault), &refused)

	few := newClient(serve(t, table, gameliftapi.Config{Credentials: keys, Operations: []string{"TerminateGameSession"}}))
	require.ErrorAs(t, reserve(match, "bob")(ctx, few), &refused)
	require.NoError(t, terminate(match, types.TerminationModeForceTerminate)(ctx, few))

	require.PanicsWithValue(t, `gameliftapi: there is no operation "CreatePlayer" to allow; there are `+
		"[CreateGameSession CreatePlayerSession CreatePlayerSessions DescribeGameSessionDetails DescribeGameSessions "+
		"DescribePlayerSessions SearchGameSessions TerminateGameSession UpdateGameSession]",
		func() { gameliftapi.New(table, gameliftapi.Config{Operations: []string{"CreatePlayer"}}) })
}
