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
// its concurrency properties are the table's.
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
// oldest is hung up on, and so it is when the process runs out of descriptors:
// hoarding does not keep anybody out who sends its id at once. Only where the
// processors are so busy that a bound's worth of newcomers arrive before an id is
// read, its client is hung up on too, and has to come again.
//
// Measured on two cores, which the attackers shared: 10,000 connections at a time
// from as many loopback addresses, anew as soon as they were hung up on; 100
// players came in meanwhile, one after the other. How long that took from dialling
// to the server's welcome, in ms, how many of them had to come again, and the
// server's heap and stacks at their peak:
//
//	attack                                   median   slowest   again      MB
//	silent                                      0.1       149       0    13.3
//	silent, from the players' own address       1.4        31       2     5.5
//	a byte a second                             1.5        31       0    13.7
//	1 MB without a newline                      3.2        39       0     5.0
//	random bytes                                1.1       195       0    27.5
//	a TLS client                                1.7         8       0    24.9
//	half-closed at once                         0.5        10       0     4.9
//	reset in mid-handshake                      0.9        14       0     5.1
//	an invented id                              0.3       368       0    23.2
//	silent, to a server of 128 descriptors      2.2        99       1     5.6
//
// Afterwards not one seat, goroutine or descriptor was left behind. To repeat it:
//
//	go test -run '^$' -bench Siege -benchtime=1x ./validator
package validator
