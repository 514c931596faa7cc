// Command gameserver is a game server process with Amazon's server SDK for the
// tests of gameliftlocal: it does what its standard input says, a command a line,
// and prints what comes of it, and what GameLift tells it, as lines of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/amazon-gamelift/amazon-gamelift-servers-go-server-sdk/v5/model"
	"github.com/amazon-gamelift/amazon-gamelift-servers-go-server-sdk/v5/model/request"
	"github.com/amazon-gamelift/amazon-gamelift-servers-go-server-sdk/v5/server"
)

// line is what is printed: Event names the command that it answers, or what
// GameLift has told.
type line struct {
	Event     string
	Error     string                `json:",omitempty"`
	Version   string                `json:",omitempty"`
	Game      *model.GameSession    `json:",omitempty"`
	Reason    string                `json:",omitempty"`
	Ticket    string                `json:",omitempty"`
	Players   []model.PlayerSession `json:",omitempty"`
	NextToken string                `json:",omitempty"`
}

var printing sync.Mutex

func emit(l line) {
	printing.Lock()
	defer printing.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
		os.Exit(1)
	}
}

func report(event string, err error) {
	l := line{Event: event}
	if err != nil {
		l.Error = err.Error()
	}
	emit(l)
}

func main() {
	url := flag.String("url", "", "of the WebSocket")
	id := flag.String("id", "", "of this process")
	fleet := flag.String("fleet", "fleet-local", "")
	token := flag.String("token", "any", "the AuthToken")
	key := flag.String("key", "", "an access key, instead of the token")
	port := flag.Int("port", 7777, "")
	flag.Parse()

	server.SetLoggerInterface(silent{})
	// Or it would ask systemctl whether a collector of metrics is running.
	os.Setenv("GAMELIFT_SDK_TOOL_NAME", "test")
	version, _ := server.GetSdkVersion()
	parameters := server.ServerParameters{WebSocketURL: *url, ProcessID: *id, HostID: "host-1", FleetID: *fleet, AuthToken: *token}
	if *key != "" {
		parameters.AuthToken, parameters.AwsRegion, parameters.AccessKey, parameters.SecretKey = "", "us-west-2", *key, "secret"
	}
	err := server.InitSDK(parameters)
	if err == nil {
		err = server.ProcessReady(server.ProcessParameters{
			OnStartGameSession:  func(g model.GameSession) { emit(line{Event: "start", Game: &g}) },
			OnUpdateGameSession: updated,
			OnProcessTerminate:  func() { report("terminate", nil) },
			OnHealthCheck:       func() bool { return true },
			Port:                *port,
		})
	}
	if err != nil {
		report("ready", err)
		return
	}
	emit(line{Event: "ready", Version: version})
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		name, argument, _ := strings.Cut(commands.Text(), " ")
		go do(name, argument)
	}
}

func updated(u model.UpdateGameSession) {
	l := line{Event: "update", Game: &u.GameSession, Ticket: u.BackfillTicketID}
	if u.UpdateReason != nil {
		l.Reason = u.UpdateReason.String()
	}
	emit(l)
}

// do is on a goroutine of its own, as the players of a game server are.
func do(name, argument string) {
	switch name {
	case "activate":
		report(name, server.ActivateGameSession())
	case "accept":
		report(name, server.AcceptPlayerSession(argument))
	case "remove":
		report(name, server.RemovePlayerSession(argument))
	case "policy":
		var policy model.PlayerSessionCreationPolicy
		policy.ToPlayerSessionPolicy(argument)
		report(name, server.UpdatePlayerSessionCreationPolicy(policy))
	case "describe":
		describe(argument)
	case "backfill":
		backfill(argument)
	case "stop-backfill":
		stopBackfill(argument)
	case "certificate":
		_, err := server.GetComputeCertificate()
		report(name, err)
	case "credentials":
		q := request.NewGetFleetRoleCredentials()
		q.RoleArn = "arn:aws:iam::123456789012:role/game"
		_, err := server.GetFleetRoleCredentials(q)
		report(name, err)
	case "ending":
		report(name, server.ProcessEnding())
	case "destroy":
		report(name, server.Destroy())
	default:
		fmt.Fprintln(os.Stderr, "unknown command:", name)
		os.Exit(2)
	}
}

// describe takes the JSON of a request, and asks for the whole game session if it
// names nobody.
func describe(argument string) {
	q := request.NewDescribePlayerSessions()
	if err := json.Unmarshal([]byte(argument), &q); err != nil {
		report("describe", err)
		return
	}
	if q.GameSessionID == "" && q.PlayerID == "" && q.PlayerSessionID == "" {
		q.GameSessionID, _ = server.GetGameSessionID()
	}
	result, err := server.DescribePlayerSessions(q)
	if err != nil {
		report("describe", err)
		return
	}
	emit(line{Event: "describe", Players: result.PlayerSessions, NextToken: result.NextToken})
}

const matchmaker = "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/test"

func backfill(ticket string) {
	game, _ := server.GetGameSessionID()
	q := request.NewStartMatchBackfill(game, matchmaker, []model.Player{{
		PlayerID:         "ann",
		PlayerAttributes: map[string]model.AttributeValue{"skill": model.MakeAttributeValue(23.0)},
	}})
	q.TicketID = ticket
	result, err := server.StartMatchBackfill(q)
	if err != nil {
		report("backfill", err)
		return
	}
	emit(line{Event: "backfill", Ticket: result.TicketID})
}

func stopBackfill(ticket string) {
	q := request.NewStopMatchBackfill()
	q.GameSessionArn, _ = server.GetGameSessionID()
	q.MatchmakingConfigurationArn, q.TicketID = matchmaker, ticket
	report("stop-backfill", server.StopMatchBackfill(q))
}

// silent is the SDK's logger; its own writes a file.
type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
