// Package validator is what a game server calls when players come and go, in
// the words of Amazon GameLift Servers' server SDK.
//
//	ps, err := v.AcceptPlayerSession(id) // id: what the client sent
//	if err != nil {
//		refuse(conn, session.Reason(err)) // nobody gets in by mistake
//		return
//	}
//	play(conn, ps) // ps.PlayerID, ps.PlayerData, ps.Slot
//	_ = v.RemovePlayerSession(id)
//
// A [Validator] keeps no state of its own: everything is in the [slot.Table], and
// its concurrency properties are the table's.
package validator
