package gameliftapi_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// processes places game sessions on as many server processes as are idle, and
// remembers what they are told.
type processes struct {
	table *slot.Table
	wait  <-chan struct{} // Place returns after it is closed; nil: at once

	mu    sync.Mutex // protects all below
	idle  int
	fails error
	told  []string
	games []gameliftapi.GameSession
}

func (p *processes) Place(_ context.Context, gs *gameliftapi.GameSession) error {
	if p.wait != nil {
		<-p.wait
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		return p.fails
	}
	if p.idle == 0 {
		return gameliftapi.ErrNoProcess
	}
	gs.IPAddress, gs.Port, gs.DNSName = "127.0.0.1", 7777, "localhost"
	gs.ComputeName, gs.Location, gs.MatchmakerData = "basement-1", "custom-basement", `{"teams":[]}`
	if err := p.table.CreateGameSession(gs.GameSession); err != nil {
		return err
	}
	p.idle--
	p.tell("created", *gs)
	return nil
}

func (p *processes) Updated(gs gameliftapi.GameSession) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell("updated", gs)
}

func (p *processes) Terminating(gs gameliftapi.GameSession, mode gameliftapi.TerminationMode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle++
	p.tell(string(mode), gs)
}

func (p *processes) tell(what string, gs gameliftapi.GameSession) {
	p.told, p.games = append(p.told, what), append(p.games, gs)
}

func TestPlacement(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	fleetOfOne := &processes{table: table, idle: 1}
	config := everything()
	config.Placement, config.Region = fleetOfOne, "us-west-2"
	client := newClient(serve(t, table, config))
	ctx := t.Context()

	out, err := client.CreateGameSession(ctx, askFor(4))
	require.NoError(t, err)
	id := *out.GameSession.GameSessionId
	require.Equal(t, "arn:aws:gamelift:us-west-2::gamesession/fleet-local/round-1", id)
	require.Equal(t, types.GameSessionStatusActivating, out.GameSession.Status)
	require.Equal(t, "127.0.0.1", *out.GameSession.IpAddress)
	require.EqualValues(t, 7777, *out.GameSession.Port)
	require.Equal(t, "basement-1", *out.GameSession.ComputeName)
	require.JSONEq(t, `{"teams":[]}`, *out.GameSession.MatchmakerData)
	require.Equal(t, []gameliftapi.GameProperty{{Key: "map", Value: "dunes"}, {Key: "mode", Value: ""}}, fleetOfOne.games[0].GameProperties)
	require.Equal(t, "seed=4711", fleetOfOne.games[0].GameSessionData)
	require.Equal(t, "round-1", fleetOfOne.games[0].IdempotencyToken)

	var early *types.InvalidGameSessionStatusException
	require.ErrorAs(t, reserve(id, "ann")(ctx, client), &early)
	again, err := client.CreateGameSession(ctx, askFor(4))
	require.NoError(t, err, "a repeated token needs no second process")
	require.Equal(t, out.GameSession, again.GameSession)

	var full *types.FleetCapacityExceededException
	another := func(in *gamelift.CreateGameSessionInput) { in.IdempotencyToken = aws.String("round-2") }
	require.ErrorAs(t, create(another)(ctx, client), &full)

	require.NoError(t, table.ActivateGameSession(id))
	require.NoError(t, reserve(id, "ann")(ctx, client))
	require.NoError(t, update(gamelift.UpdateGameSessionInput{GameSessionId: &id, Name: aws.String("new")})(ctx, client))
	require.NoError(t, terminate(id, types.TerminationModeTriggerOnProcessTerminate)(ctx, client))
	require.NoError(t, terminate(id, types.TerminationModeForceTerminate)(ctx, client))
	require.NoError(t, create(another)(ctx, client))
	require.Equal(t, []string{"created", "updated", "TRIGGER_ON_PROCESS_TERMINATE", "FORCE_TERMINATE", "created"}, fleetOfOne.told)
	require.Equal(t, "new", fleetOfOne.games[1].Name)
	require.Equal(t, 1, fleetOfOne.games[1].CurrentPlayerSessionCount)
}

// A stranger's error stays in the log; the client learns that it was not its fault.
func TestPlacementFails(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	config := everything()
	config.Placement = &processes{table: table, fails: errors.New("the password is swordfish")}
	client := newClient(serve(t, table, config))
	var internal *types.InternalServiceException
	err := create(func(*gamelift.CreateGameSessionInput) {})(t.Context(), client)
	require.ErrorAs(t, err, &internal)
	require.NotContains(t, err.Error(), "swordfish")
	require.Zero(t, table.Stats().GameSessions)
}

// Of many that ask with one token, at once, all get the one game session.
func TestOneTokenAtOnce(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	errs := make([]error, 16)
	var arriving sync.WaitGroup
	arriving.Add(len(errs))
	allThere := make(chan struct{})
	go func() { arriving.Wait(); close(allThere) }()
	config := everything()
	config.Placement = &processes{table: table, idle: 1, wait: allThere}
	handler := gameliftapi.New(table, config)
	client := newClient(newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arriving.Done()
		handler.ServeHTTP(w, r)
	})))
	var asking sync.WaitGroup
	for i := range errs {
		asking.Go(func() { _, errs[i] = client.CreateGameSession(t.Context(), askFor(4)) })
	}
	asking.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, 1, table.Stats().GameSessions)
}
