// Package gameliftapi serves Amazon GameLift Servers' service API over a table of
// this process, so that a backend in any language reserves seats in the game
// server itself, with an AWS SDK whose endpoint is pointed at it.
//
//	api := gameliftapi.New(table, gameliftapi.Config{Credentials: keys})
//	server := &http.Server{Addr: ":9080", Handler: api, ReadTimeout: 10 * time.Second}
//
// # Wires
//
// Both that AWS SDKs speak are served side by side, by what a request says it is:
// RPC v2 CBOR (POST /service/GameLift/operation/CreatePlayerSession) and AWS JSON
// 1.1 (POST /, X-Amz-Target: GameLift.CreatePlayerSession). Errors have the names
// of GameLift's exceptions, from which SDKs make their own types.
//
// # Who may call
//
// A request is signed (SigV4) with a secret that [Config].Credentials knows, or
// carries [Config].BearerToken. With neither configured every request is refused.
// Which operations are open to them is [Config].Operations.
//
// What is signed is the body and the headers, so neither can be changed on the
// way; but nothing is encrypted, and player session ids, which admit their bearer,
// are in the answers. Serve it over TLS, or on a network that only the backend is
// on. As with AWS, a signed request can be repeated within five minutes; a
// reservation that is repeated is answered with the seat it has already
// ([slot.DuplicatesReturn]).
//
// A body is at most 1 MiB. How long a client may take to send it is the
// http.Server's to say: set its timeouts.
//
// # Server processes
//
// CreateGameSession makes a game session on the table, ACTIVE, unless there is a
// [Placement]: that puts it on a server process which activates it.
//
// What the table does not hold of a game session (its properties, its data, who
// created it, idempotency tokens) is kept here, for as long as the table keeps the
// game session, and at most until as many others have been created. So there
// should be one handler for a table.
//
// # Concurrency
//
// The handler has no goroutine and needs no closing. Creations, updates and
// terminations of game sessions wait for each other; nothing else does.
package gameliftapi
