// Package slot holds the seats of a game server's game sessions: a lock-striped
// table of player sessions, and the timer wheel that frees the seats of those
// who never come.
//
// # Model
//
// A [Table] holds game sessions, and each of these has seats, numbered from 0.
// [Table.Reserve] gives the lowest free one to a player, whose session is then
// RESERVED; [Table.Activate] is what validator.AcceptPlayerSession calls. What
// becomes of it:
//
//	              Activate               Release, TerminateGameSession,
//	  Reserve    ┌───────▶  ACTIVE ────▶ Disconnect and nobody returned ─▶ COMPLETED
//	──────────▶ RESERVED     │  ▲
//	             │           ▼  │ Activate, TakeOver: Generation + 1
//	             │          dropped (ACTIVE still; only with a ReconnectWindow)
//	             │
//	             └────────▶  TIMEDOUT    nobody came until the deadline; Release,
//	                                     TerminateGameSession
//
// A seat is held while the session is RESERVED or ACTIVE, dropped included, and
// is free at once when it ends. What has ended stays to be looked up, until
// Config.Retention after its game session ended or until Config.MaxRetained more
// have ended since; a replayed id is refused with the reason.
//
// # Time
//
// Deadlines are instants of the process's monotonic clock: setting the system's
// clock changes nothing, a stopped process (SIGSTOP) loses time, a suspended
// system does not. A session is never TIMEDOUT before its deadline; an accept
// that begins more than 20 ms after it is refused, provided that the process gets
// CPU, and the seat is free within 100 ms. There is no ticking: a table with
// nothing due does not wake up.
//
// All times handed out are UTC in whole milliseconds, rounded down, without a
// monotonic reading. They are derived from one reading of the wall clock, when
// the table was made, so that they never contradict each other.
//
// # Caveats
//
//   - A seat number is another player's as soon as the session that had it is
//     terminal: compare PlayerSessionID before you clear what belongs to a seat.
//   - Whoever knows a player session id gets in with it. Never log one whole; what
//     this package logs and returns as errors is redacted.
//   - Lookup and Activate return the id string they were passed, not a copy. Do
//     not pass one that shares memory with a buffer you write to again.
//   - Players share pieces of memory: the ids and data of a hundred or so one of
//     at most 4 KB, and sixteen new player session ids one of 672 bytes. It stays
//     as long as one of these strings is kept. Keep strings.Clone of what outlives
//     its player by far.
//   - A subscriber that is slow for long makes Reserve answer ErrOverloaded. Hand
//     events over to a queue of your own if handling them can block.
//   - A logger that blocks holds up who logs, though no lock: also whoever frees
//     the seats of those who did not come. Deadlines are kept all the same.
//
// # Concurrency properties
//
//   - All methods may be called from any goroutine, from subscribers too.
//   - Each change of a player session happens at one instant, under the lock of
//     its stripe, and has one author: of any number of calls that race for it,
//     the wheel included, one makes it, and the others see it made.
//   - A call that begins after another has returned sees what that one did.
//   - A party appears at one instant. TerminateGameSession ends all player
//     sessions at one instant.
//   - The counts of GameSession and Stats are of one instant each.
//   - Events of one player session are queued under that lock, so each subscriber
//     gets them in the order in which they happened, each once. Between player
//     sessions there is no order.
//   - Activate, TakeOver, Lookup, Extend and Deadline take the lock of one stripe
//     and none that a slow call holds. No lock is held while a subscriber or a
//     logger runs.
package slot
