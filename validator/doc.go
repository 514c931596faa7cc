// Package validator is what a game server calls when players come and go, in
// the words of Amazon GameLift Servers' server SDK.
//
//	ps, err := v.AcceptPlayerSession(id) // id: what the client sent
//	if err != nil {
//		refuse(conn, err) // session.Reason has a word for it
//		return
//	}
//	play(conn, ps) // ps.PlayerID, ps.PlayerData, ps.Slot
//	_ = v.RemovePlayerSession(id)
//
// A [Validator] keeps no state of its own: everything is in the [slot.Table], and
// its concurrency properties are the table's. The accept itself is that of the
// [slot.Acceptor] in it, whose documentation tells the errors.
//
// # Gates
//
// A gate makes these calls for you, so that none is forgotten: a connection comes
// out of it validated; when it goes, its player is dropped; and when the player
// session ends in any other way, the connection goes. There is one for every
// [net.Listener], be it TCP, TLS or a Unix socket, and [Validator.Handler] for HTTP
// and WebSocket.
//
//	gate := v.NewListener(inner, validator.ListenerConfig{})
//	for {
//		conn, err := gate.AcceptPlayer()
//		if err != nil {
//			return err
//		}
//		go play(conn, conn.PlayerSession()) // ends with conn.Close or conn.End
//	}
//
// A client of a [Listener] sends its id on a line of its own, and goes on with what
// it likes. If it is refused, it gets a line such as "refused timed_out", with the
// word of [session.Reason]. Whoever has no id of a player session there is or was
// gets "refused not_found", whatever it sent.
//
// The player session as the table has it decides, and a gate learns of it by one
// subscription for all its connections. So a server may use several gates, and the
// table beside them: TakeOver at one gate closes the connection of another. From a
// Release to the client's end of file it takes 40 µs over loopback on two cores
// (BenchmarkEviction), and 50 ms if TLS cannot say goodbye, since the client does
// not read.
//
// # A listener under attack
//
// Until a client has shown an id, it costs a goroutine, a descriptor and about
// 8 KB, or 20 KB while it is told that it is refused. There are 1,024 such clients
// at most (MaxPending), 64 of one address (MaxPendingPerAddress), and none for
// longer than 5 s (HandshakeTimeout), and a second to be refused in. At a bound the
// oldest is hung up on, and so it is when the process runs out of descriptors; but
// rather one who has sent nothing than one whose id just has to be read. So hoarding
// keeps nobody out who sends its id at once. A client that is kept from sending it
// until a bound's worth of others have come has to come again.
//
// Measured on two cores, which the attackers shared: 10,000 connections at a time
// from as many loopback addresses, anew as soon as they were hung up on; 100
// players came in meanwhile, one after the other. How long that took from dialling
// to the server's welcome, in ms, how many of them had to come again, and the
// server's heap and stacks at their peak:
//
//	attack                                   median   slowest   again      MB
//	silent                                      4.2        51       0    14.5
//	silent, from the players' own address       1.0        18       1     5.1
//	a byte a second                             0.4        57       0    14.2
//	1 MB without a newline                      1.8        10       0     4.8
//	random bytes                                1.2        20       0    26.9
//	a TLS client                                1.5         6       0    24.5
//	half-closed at once                         0.4        11       0     4.9
//	reset in mid-handshake                      0.3         9       0     4.4
//	an invented id                              0.1       132       0    29.2
//	silent, to a server of 128 descriptors      2.5       124       0     5.7
//
// Afterwards not one seat, goroutine or descriptor was left behind. To repeat it:
//
//	go test -run '^$' -bench Siege -benchtime=1x ./validator
package validator
