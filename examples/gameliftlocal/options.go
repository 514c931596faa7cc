package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/usher-go/usher/session"
)

const usage = `Usage: gameliftlocal [flags]

Amazon GameLift Servers on your own machine, without an account: the service API
for backends, and the WebSocket for game servers with a server SDK of version 5, on
one port. It logs what becomes of every player session. Ctrl-C ends it.

  -listen address
        where to listen (default 127.0.0.1:9080; port 0: any free one)
  -fleet id
        the fleet that server processes belong to (default fleet-local)
  -region name
        the region in ARNs (default us-west-2; the Go server SDK's StopMatchBackfill
        takes no other form)
  -max-players n
        the highest maximum of a game session (default 200, GameLift's limit)
  -reservation-timeout duration
        how long a reserved player may take to be accepted (default 1m0s, GameLift's)
  -retention duration
        how long what has ended can be asked about (default 720h0m0s, GameLift's)
  -auto-activate
        a game session needs no server process: it is active at once if none is idle
  -backfill refuse|accept
        whether StartMatchBackfill is refused, or gets a ticket of which nothing comes
        (default refuse)
  -matchmaker-data file
        the MatchmakerData of every game session, which no call of the API can set
  -fault action=10%,2s
        one in ten requests of an action of the WebSocket fails, and each is carried out
        2 s late; either can be left out, and a third part is the status they fail with
        (default 500); for several actions, give it several times
  -log-format console|json
        (default console)
  -allow-remote
        listen elsewhere than on a loopback address; needs all of the environment below

Environment:
  GAMELIFTLOCAL_ACCESS_KEY_ID, GAMELIFTLOCAL_SECRET_ACCESS_KEY
        what requests to the service API must be signed with
  GAMELIFTLOCAL_AUTH_TOKEN
        the AuthToken that server processes must pass to InitSDK
  NO_COLOR
        no colours, also on a terminal
Without them any credentials and any token are taken.

Exit status: 0 it was asked to end, 1 it failed, 2 the flags are wrong.
`

// region is what an ARN may have between two colons.
var region = regexp.MustCompile(`^[a-z0-9-]+$`)

// maxPlayers is GameLift's limit for a game session.
const maxPlayers = 200

type options struct {
	listen             string
	fleet, region      string
	maxPlayers         int
	reservationTimeout time.Duration
	retention          time.Duration
	autoActivate       bool
	backfill           string
	matchmakerData     string // the text, once it is read
	faults             map[string]fault
	logFormat          string
	allowRemote        bool
	credentials
	limits limits
}

// credentials are what callers must show; empty: anything is taken.
type credentials struct{ accessKeyID, secretAccessKey, authToken string }

func (c credentials) complete() bool {
	return c.accessKeyID != "" && c.secretAccessKey != "" && c.authToken != ""
}

func parse(args []string, getenv func(string) string) (options, error) {
	o := options{faults: map[string]fault{}, limits: defaultLimits, credentials: credentials{
		accessKeyID:     getenv("GAMELIFTLOCAL_ACCESS_KEY_ID"),
		secretAccessKey: getenv("GAMELIFTLOCAL_SECRET_ACCESS_KEY"),
		authToken:       getenv("GAMELIFTLOCAL_AUTH_TOKEN"),
	}}
	flags := flag.NewFlagSet("gameliftlocal", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:9080", "")
	flags.StringVar(&o.fleet, "fleet", "fleet-local", "")
	flags.StringVar(&o.region, "region", "us-west-2", "")
	flags.IntVar(&o.maxPlayers, "max-players", maxPlayers, "")
	flags.DurationVar(&o.reservationTimeout, "reservation-timeout", time.Minute, "")
	flags.DurationVar(&o.retention, "retention", 30*24*time.Hour, "")
	flags.BoolVar(&o.autoActivate, "auto-activate", false, "")
	flags.StringVar(&o.backfill, "backfill", "refuse", "")
	flags.Func("matchmaker-data", "", o.readMatchmakerData)
	flags.Func("fault", "", o.addFault)
	flags.StringVar(&o.logFormat, "log-format", "console", "")
	flags.BoolVar(&o.allowRemote, "allow-remote", false, "")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("gameliftlocal: %w", err)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("gameliftlocal: unexpected argument %q", flags.Arg(0))
	}
	return o, o.check()
}

func (o *options) readMatchmakerData(file string) error {
	text, err := os.ReadFile(file)
	if err == nil && !utf8.Valid(text) {
		err = errors.New("the file is not UTF-8 text")
	}
	o.matchmakerData = string(text)
	return err
}

func (o *options) addFault(text string) error {
	action, f, err := parseFault(text)
	if err == nil {
		o.faults[action] = f
	}
	return err
}

func (o *options) check() error {
	if err := o.checkReach(); err != nil {
		return err
	}
	if err := (session.GameSession{FleetID: o.fleet}).Validate(); err != nil || o.fleet == "" {
		return fmt.Errorf("gameliftlocal: -fleet must be fleet- and letters, digits or hyphens, as all SDKs expect")
	}
	switch {
	case !region.MatchString(o.region):
		return fmt.Errorf("gameliftlocal: -region must be lower-case letters, digits and hyphens")
	case o.maxPlayers < 1:
		return fmt.Errorf("gameliftlocal: -max-players must be at least 1")
	case o.reservationTimeout <= 0 || o.retention <= 0:
		return fmt.Errorf("gameliftlocal: -reservation-timeout and -retention must be longer than 0")
	case o.backfill != "refuse" && o.backfill != "accept":
		return fmt.Errorf("gameliftlocal: -backfill must be refuse or accept")
	case o.logFormat != "console" && o.logFormat != "json":
		return fmt.Errorf("gameliftlocal: -log-format must be console or json")
	case (o.accessKeyID == "") != (o.secretAccessKey == ""):
		return fmt.Errorf("gameliftlocal: set both GAMELIFTLOCAL_ACCESS_KEY_ID and GAMELIFTLOCAL_SECRET_ACCESS_KEY, or neither")
	}
	return nil
}

// checkReach refuses to be reached by others than this machine without credentials
// that they must show.
func (o *options) checkReach() error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return fmt.Errorf("gameliftlocal: -listen: %w", err)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	if !o.allowRemote {
		return fmt.Errorf("gameliftlocal: -listen %s is no loopback address: others could reserve seats and pose as game servers; use 127.0.0.1, or -allow-remote with credentials", o.listen)
	}
	if !o.complete() {
		return fmt.Errorf("gameliftlocal: -allow-remote needs GAMELIFTLOCAL_ACCESS_KEY_ID, GAMELIFTLOCAL_SECRET_ACCESS_KEY and GAMELIFTLOCAL_AUTH_TOKEN to be set")
	}
	return nil
}
