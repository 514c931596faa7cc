package slot_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// only returns the one line with a message.
func (l *logBook) only(t testing.TB, message string) map[string]any {
	t.Helper()
	lines := l.saying(t, message)
	require.Len(t, lines, 1, message)
	return lines[0]
}

// sum adds a number in the lines with a message.
func (l *logBook) sum(t testing.TB, message, field string) int {
	t.Helper()
	sum := 0
	for _, line := range l.saying(t, message) {
		n, ok := line[field].(float64)
		require.True(t, ok, line)
		sum += int(n)
	}
	return sum
}

const strangers = "refused player session ids that nobody reserved"

// A player with a known id who is refused is an incident that somebody will ask
// about: the line tells all there is to know.
func TestLogOfRefusedAccepts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger(), ReconnectWindow: time.Minute}, 7)
		f.create("over", 2)
		deny := slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)}

		active := f.join("active").PlayerSessionID
		_, err := f.TakeOver(active)
		require.NoError(t, err)
		completed := f.release(f.join("completed").PlayerSessionID).PlayerSessionID
		givenUp := f.release(f.reserve("given up").PlayerSessionID).PlayerSessionID
		late := f.reserve("late").PlayerSessionID
		gone := f.join("gone")
		f.drop(gone)
		ended := f.reserved(slot.Reservation{GameSessionID: "over", PlayerID: "ended"}).PlayerSessionID
		endedActive := f.accept(f.reserved(slot.Reservation{GameSessionID: "over", PlayerID: "ended active"}).PlayerSessionID).PlayerSessionID
		f.terminate("over")
		f.update(deny)
		time.Sleep(90 * time.Second)

		for _, test := range []struct {
			id, level, message, player, reason, status, cause string
			generation                                        float64
		}{
			{active, "warn", "player refused: the id is in use", "active", "already_active", "ACTIVE", "returned", 2},
			{completed, "info", "player refused", "completed", "completed", "COMPLETED", "released", 1},
			{givenUp, "info", "player refused", "given up", "timed_out", "TIMEDOUT", "released", 0},
			{late, "info", "player refused: the reservation timed out", "late", "timed_out", "TIMEDOUT", "deadline", 0},
			{gone.PlayerSessionID, "info", "player refused", "gone", "completed", "COMPLETED", "window_over", 1},
			{ended, "info", "player refused: the game session was terminated", "ended", "timed_out", "TIMEDOUT", "terminated", 0},
			{endedActive, "info", "player refused: the game session was terminated", "ended active", "completed", "COMPLETED", "terminated", 1},
		} {
			before := len(book.lines(t))
			_, err := f.Activate(test.id)
			require.Error(t, err)
			lines := book.lines(t)[before:]
			require.Len(t, lines, 1)
			want := map[string]any{
				"level":               test.level,
				"message":             test.message,
				"player_session_id":   session.Redact(test.id),
				"player_id":           test.player,
				"reason":              test.reason,
				"status":              test.status,
				"cause":               test.cause,
				"generation":          test.generation,
				"age":                 "1m30s",
				"game_session_id":     match,
				"game_session_status": "ACTIVE",
				"held":                1.0,
				"max":                 7.0,
				"policy":              "DENY_ALL",
			}
			if strings.HasPrefix(test.player, "ended") {
				maps.Copy(want, map[string]any{
					"game_session_id": "over", "game_session_status": "TERMINATED", "held": 0.0, "max": 2.0, "policy": "ACCEPT_ALL",
				})
			}
			require.Equal(t, want, lines[0])
		}
	})
}

// LESSONS: a late join to an ended match reads as terminated, not as an id that
// nobody knows.
func TestLogOfALateJoin(t *testing.T) {
	t.Parallel()
	book := new(logBook)
	f := newFixture(t, slot.Config{Logger: book.logger()}, 10)
	id := f.reserve("alice").PlayerSessionID
	f.terminate(match)
	f.Activate(id)
	require.Equal(t, "terminated", book.only(t, "player refused: the game session was terminated")["cause"])
	_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
	require.Error(t, err)
	line := book.only(t, "reservation refused")
	require.Equal(t, "game_session_not_active", line["reason"])
	require.Equal(t, "TERMINATED", line["game_session_status"])
	book.only(t, "game session terminated")
}

// The age is from the reservation on, whenever that was.
func TestLogOfAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 10)
		time.Sleep(time.Hour)
		id := f.join("alice").PlayerSessionID
		time.Sleep(3 * time.Second)
		f.Activate(id)
		require.Equal(t, "3s", book.only(t, "player refused: the id is in use")["age"])
	})
}

// Every refused reservation has its line.
func TestLogOfRefusedReservations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 2)
		f.create("elsewhere", 1)
		f.reserved(slot.Reservation{GameSessionID: "elsewhere", PlayerID: "owner", PlayerSessionID: "psess-taken"})
		f.join("alice")
		f.reserve("bob")
		time.Sleep(time.Second)
		inMatch := map[string]any{"game_session_id": match, "game_session_status": "ACTIVE", "held": 2.0, "max": 2.0, "policy": "ACCEPT_ALL"}
		refused := func(level, reason string, want map[string]any, party ...slot.Reservation) {
			t.Helper()
			before := len(book.lines(t))
			var err error
			if len(party) == 1 {
				_, err = f.Reserve(party[0])
			} else {
				_, err = f.ReserveAll(party)
			}
			require.Equal(t, reason, session.Reason(err))
			lines := book.lines(t)[before:]
			require.Len(t, lines, 1)
			want["level"], want["message"], want["reason"] = level, "reservation refused", reason
			if reason == "invalid_field" { // then it says which
				require.Contains(t, lines[0]["error"], want["error"])
				want["error"] = lines[0]["error"]
			}
			require.Equal(t, want, lines[0])
		}
		with := func(fields ...any) map[string]any {
			all := maps.Clone(inMatch)
			for i := 0; i < len(fields); i += 2 {
				name, _ := fields[i].(string)
				all[name] = fields[i+1]
			}
			return all
		}
		res := func(player, id string) slot.Reservation {
			return slot.Reservation{GameSessionID: match, PlayerID: player, PlayerSessionID: id}
		}
		refused("info", "full", with("player_id", "carol"), res("carol", ""))
		refused("info", "full", with("player_id", "carol", "party", 2.0), res("carol", ""), res("dave", ""))
		refused("info", "duplicate", with("player_id", "alice", "status", "ACTIVE", "cause", "accepted", "age", "1s", "generation", 1.0), res("alice", ""))
		refused("info", "duplicate", with("player_id", "bob", "status", "RESERVED", "cause", "reserved", "age", "1s", "generation", 0.0, "party", 3.0),
			res("carol", ""), res("bob", "psess-b"), res("dave", ""))
		refused("warn", "exists", with("player_id", "carol", "status", "RESERVED", "cause", "reserved", "age", "1s", "generation", 0.0), res("carol", "psess-taken"))
		refused("warn", "invalid_id", with("player_id", "carol"), res("carol", "malformed"))
		refused("warn", "invalid_field", with("player_id", "", "error", "PlayerId is required"), res("", ""))
		refused("warn", "game_session_not_found", map[string]any{"player_id": "carol", "game_session_id": "nowhere"},
			slot.Reservation{GameSessionID: "nowhere", PlayerID: "carol"})

		f.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
		inMatch["policy"] = "DENY_ALL"
		refused("info", "denied", with("player_id", "carol"), res("carol", ""))
		f.drain()
		require.EqualValues(t, 3, book.only(t, "draining: no new reservations")["held"])
		refused("info", "draining", with("player_id", "carol"), res("carol", ""))
		f.drainMatch()
		inMatch["game_session_status"] = "TERMINATING"
		refused("info", "game_session_not_active", with("player_id", "carol"), res("carol", ""))
		require.NoError(t, f.Close())
		refused("info", "closed", with("player_id", "carol"), res("carol", ""))
	})
}

// Anyone can send ids that nobody reserved. They fill no disk, they are counted
// to the last one, and they do not hide a refusal that matters.
func TestLogOfAFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger().Level(zerolog.InfoLevel)}, 10)
		known := f.join("alice").PlayerSessionID
		begin := len(book.lines(t))
		const flood = 100_000
		for i := range flood {
			f.Activate("psess-unknown")
			f.TakeOver("malformed")
			if i%2000 == 1999 {
				time.Sleep(999 * time.Millisecond) // 50 s in all
			}
			if i == flood/2 {
				f.Activate(known)
			}
		}
		require.Equal(t, session.Redact(known), book.only(t, "player refused: the id is in use")["player_session_id"])
		require.NoError(t, f.Close())
		require.Equal(t, flood, book.sum(t, strangers, "unknown"))
		require.Equal(t, flood, book.sum(t, strangers, "malformed"))
		require.LessOrEqual(t, len(book.lines(t))-begin, 10)
		for _, line := range book.saying(t, strangers) {
			require.Equal(t, "warn", line["level"])
		}
		time.Sleep(time.Hour)
		require.Equal(t, flood, book.sum(t, strangers, "unknown"), "nothing is said after Close")
	})
}

// The first stranger is told at once, one who comes later too.
func TestLogOfStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 10)
		f.Activate("psess-unknown")
		require.EqualValues(t, 1, book.only(t, strangers)["unknown"])
		f.Activate("psess-unknown")
		f.Activate("malformed")
		require.Len(t, book.saying(t, strangers), 1)
		time.Sleep(10*time.Second + 1)
		lines := book.saying(t, strangers)
		require.Len(t, lines, 2)
		require.Equal(t, []any{1.0, 1.0}, []any{lines[1]["unknown"], lines[1]["malformed"]})
		time.Sleep(time.Hour)
		require.Len(t, book.saying(t, strangers), 2, "no line for nobody")
		f.Activate("malformed")
		require.Len(t, book.saying(t, strangers), 3)
		require.NoError(t, f.Close())
		require.Len(t, book.saying(t, strangers), 3)
	})
}

// Whatever is done with them, ids that admit their bearer are not in the log.
func TestLogHidesSecrets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger(), ReconnectWindow: time.Minute, Retention: time.Hour}, 10)
		secrets := []string{
			"psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b", "psess-0F5C2A7E-1B3D-4E9F-8A6B-7C8D9E0F1A2C", "psess-the-alias", "psess-ä",
			"psess-passed-as-player", "x PSESS-upper-case-as-player", "the data", "psess-in-a-party", "psess-stranger",
		}
		for i, id := range secrets[:4] {
			r := slot.Reservation{GameSessionID: match, PlayerID: player(i), PlayerSessionID: id, PlayerData: secrets[6]}
			f.reserved(r)
			r.PlayerID = "other"
			f.Reserve(r)
			f.ReserveAll([]slot.Reservation{r, r})
			r.GameSessionID = id
			f.Reserve(r)
			f.accept(id)
			f.Activate(id)
			f.TakeOver(id)
			f.drop(f.lookup(id))
			f.accept(id)
			f.Extend(id, 0)
			f.Activate(id + "x")
			f.Activate(id + " ")
			if i > 1 {
				f.release(id)
				f.Activate(id)
			}
		}
		for _, id := range secrets[4:6] {
			ps := f.reserve(id)
			secrets = append(secrets, ps.PlayerSessionID)
			f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: id, PlayerData: "other"})
			f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: id + "\xff"})
		}
		f.ReserveAll([]slot.Reservation{{GameSessionID: match, PlayerID: "a", PlayerSessionID: secrets[7]}, {GameSessionID: "other", PlayerID: secrets[7]}})
		f.Activate(secrets[8])
		f.Subscribe(func(e session.Event) { panic(e.PlayerSession) })
		f.reserve("panics")
		time.Sleep(2 * time.Minute)
		f.terminate(match)
		f.Activate(secrets[0])
		time.Sleep(2 * time.Hour)
		require.NoError(t, f.Close())

		require.Greater(t, len(book.lines(t)), 60)
		text := strings.ToLower(book.text())
		for _, secret := range secrets {
			secret = strings.ToLower(secret)
			require.NotContains(t, text, secret)
			require.NotContains(t, text, strings.TrimPrefix(secret, "psess-")+`"`)
		}
		require.Contains(t, text, strings.ToLower(session.Redact(secrets[0])))
	})
}

// What a client chose stays within its line.
func TestLogInjection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 1)
		const evil = "mallory\n{\"level\":\"error\",\"message\":\"all is lost\"}\r\n\u2028\x00\x1b[31m"
		f.create(evil, 1)
		ps := f.reserved(slot.Reservation{GameSessionID: evil, PlayerID: evil})
		f.Reserve(slot.Reservation{GameSessionID: evil, PlayerID: "x" + evil})
		f.Reserve(slot.Reservation{GameSessionID: "no" + evil, PlayerID: evil})
		f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "psess-" + evil})
		f.accept(ps.PlayerSessionID)
		f.Activate(ps.PlayerSessionID)
		f.Activate(evil)
		f.terminate(evil)
		f.Activate(ps.PlayerSessionID)
		n := 0
		for lines := bufio.NewScanner(strings.NewReader(book.text())); lines.Scan(); n++ {
			var line map[string]any
			require.NoError(t, json.Unmarshal(lines.Bytes(), &line), "a line is an object")
			require.NotEqual(t, "all is lost", line["message"])
			require.NotContains(t, lines.Text(), "\x1b")
		}
		require.Len(t, book.lines(t), n)
		require.Equal(t, evil, book.only(t, "player refused: the id is in use")["player_id"])
	})
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lived := func(level zerolog.Level) map[string]int {
			book := new(logBook)
			f := newFixture(t, slot.Config{Logger: book.logger().Level(level), ReconnectWindow: time.Second, Retention: time.Minute}, 10)
			f.reserve("nobody comes")
			ps := f.join("alice")
			f.Activate(ps.PlayerSessionID)
			f.release(ps.PlayerSessionID)
			f.Activate(ps.PlayerSessionID)
			f.drop(f.join("dropped"))
			f.Reserve(slot.Reservation{GameSessionID: "nowhere", PlayerID: "alice"})
			f.Activate("psess-stranger")
			time.Sleep(time.Hour)
			f.terminate(match)
			time.Sleep(time.Hour)
			require.NoError(t, f.Close())
			levels := make(map[string]int)
			for _, line := range book.lines(t) {
				word, _ := line["level"].(string)
				levels[word]++
			}
			return levels
		}
		all := lived(zerolog.TraceLevel)
		require.GreaterOrEqual(t, all["debug"], 7) // 3 reserved, 2 accepted, 1 released, 1 forgotten
		delete(all, "debug")
		require.Equal(t, map[string]int{
			"info": 5, // created, refused, timed out, window over, terminated
			"warn": 3, // in use, nowhere, stranger
		}, all)
		require.Equal(t, all, lived(zerolog.InfoLevel))
		delete(all, "info")
		require.Equal(t, all, lived(zerolog.WarnLevel))
		require.Empty(t, lived(zerolog.ErrorLevel))
		require.Empty(t, lived(zerolog.Disabled))
	})
}

// A level for the whole process is obeyed as well. Other tests wait for this one,
// which is not parallel, and find the level as it was.
func TestLogGlobalLevel(t *testing.T) {
	defer zerolog.SetGlobalLevel(zerolog.GlobalLevel())
	for level, lines := range map[zerolog.Level]int{zerolog.DebugLevel: 2, zerolog.InfoLevel: 1, zerolog.WarnLevel: 0} {
		zerolog.SetGlobalLevel(level)
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 10)
		ps := f.join("alice")
		f.release(ps.PlayerSessionID)
		f.Activate(ps.PlayerSessionID)
		accepted, refused := book.saying(t, "player accepted"), book.saying(t, "player refused")
		require.Len(t, slices.Concat(accepted, refused), lines, "%v", level)
	}
}

// The life of a player session, for those who debug.
func TestLogOfALife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger(), ReconnectWindow: time.Second}, 10)
		ps := f.join("alice")
		f.reserve("bob")
		time.Sleep(2 * time.Second)
		f.drop(ps)
		time.Sleep(time.Minute)
		f.release(f.join("carol").PlayerSessionID)
		for message, player := range map[string]string{
			"player accepted": "alice",
			"player session ended: the player did not return": "alice",
			"player session timed out: nobody came":           "bob",
			"player session ended":                            "carol",
		} {
			line := book.saying(t, message)[0]
			require.Equal(t, player, line["player_id"], message)
			require.Equal(t, match, line["game_session_id"], message)
		}
		line := book.only(t, "player session timed out: nobody came")
		require.Equal(t, []any{"TIMEDOUT", "deadline", "info"}, []any{line["status"], line["cause"], line["level"]})
		created := book.only(t, "game session created")
		require.Equal(t, []any{match, "ACTIVE", 10.0}, []any{created["game_session_id"], created["game_session_status"], created["max"]})
	})
}

const nobodyAccepts = "every reservation so far timed out and none was accepted: does the server call AcceptPlayerSession when a player connects?"

// The fault that GameLift's users report most: the players are in the game, and
// nobody accepted them.
func TestLogWarnsThatNobodyAccepts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 100)
		f.create("fine", 100)
		f.create("small", 100)
		f.accept(f.reserved(slot.Reservation{GameSessionID: "fine", PlayerID: "alice"}).PlayerSessionID)
		for i := range 20 {
			f.reserve(player(i))
			f.reserved(slot.Reservation{GameSessionID: "fine", PlayerID: player(i)})
		}
		f.reserved(slot.Reservation{GameSessionID: "small", PlayerID: "alice"})
		f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "late", Timeout: time.Hour})
		time.Sleep(2 * time.Minute)
		warned := make(map[any]int)
		for _, line := range book.saying(t, nobodyAccepts) {
			require.Equal(t, "warn", line["level"])
			warned[line["game_session_id"]]++
		}
		require.Equal(t, map[any]int{match: 1, "small": 1}, warned, "once, and not where someone was accepted")
		require.GreaterOrEqual(t, book.saying(t, nobodyAccepts)[0]["timed_out"], 1.0)

		f.reserve("again")
		f.create("given up", 10)
		for i := range 10 { // that is the player's doing, not the server's
			f.release(f.reserved(slot.Reservation{GameSessionID: "given up", PlayerID: player(i)}).PlayerSessionID)
		}
		time.Sleep(2 * time.Hour)
		require.Len(t, book.saying(t, nobodyAccepts), 2)
	})
}

// While somebody holds a seat, who may be accepted yet, it takes eight.
func TestLogWarnsThatNobodyAcceptsOfEight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 100)
		f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "late", Timeout: time.Hour})
		for i := range 9 {
			f.reserve(player(i))
			time.Sleep(2 * time.Minute)
			switch lines := book.saying(t, nobodyAccepts); {
			case i+1 < 8:
				require.Empty(t, lines)
			default:
				require.Len(t, lines, 1)
				require.EqualValues(t, 8, lines[0]["timed_out"])
			}
		}
	})
}

// LESSONS: o3de#431. A player session id is used as a player id.
func TestLogWarnsOfIDsAsPlayers(t *testing.T) {
	t.Parallel()
	book := new(logBook)
	f := newFixture(t, slot.Config{Logger: book.logger()}, 100)
	f.create("other", 10)
	id := f.reserve("alice").PlayerSessionID
	second := f.reserve(id)
	require.NotEqual(t, id, second.PlayerSessionID)
	const message = "a player session id was passed as a PlayerID: reserve by the player's own id, accept by the player session id"
	line := book.only(t, message)
	require.Equal(t, map[string]any{"level": "warn", "message": message, "game_session_id": match, "player_id": session.Redact(id)}, line)
	require.NotContains(t, book.text(), id)

	f.reserve(second.PlayerSessionID)
	f.ReserveAll(partyOf("bob", second.PlayerSessionID))
	book.only(t, message) // once
	f.ReserveAll([]slot.Reservation{{GameSessionID: "other", PlayerID: "bob"}, {GameSessionID: "other", PlayerID: id}})
	require.Len(t, book.saying(t, message), 2, "once a game session")
}

func TestLogWarnsOfNoSeats(t *testing.T) {
	t.Parallel()
	book := new(logBook)
	f := newFixture(t, slot.Config{Logger: book.logger()}, 1)
	const message = "maximum player session count is 0: every reservation will be refused as full"
	require.Empty(t, book.saying(t, message))
	f.create("none", 0)
	require.Equal(t, "none", book.only(t, message)["game_session_id"])
	require.Equal(t, "warn", book.only(t, message)["level"])
	f.update(slot.GameSessionUpdate{Name: pointer("x")})
	f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(0)})
	require.Len(t, book.saying(t, message), 2)
}

// A subscriber is at half its backlog: told once, until it has caught up.
func TestLogWarnsOfASubscriberBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger().Level(zerolog.InfoLevel)}, 10)
		loud := f.join("loud").PlayerSessionID
		stalled := make(chan struct{})
		f.Subscribe(func(session.Event) { <-stalled })
		const message = "a subscriber is at half its backlog: reservations will be refused when it is full"
		behind := func() {
			for range 32_768 {
				f.TakeOver(loud)
			}
			synctest.Wait()
		}
		behind()
		require.Empty(t, book.saying(t, message))
		f.TakeOver(loud)
		f.TakeOver(loud)
		synctest.Wait()
		require.Equal(t, map[string]any{"level": "warn", "message": message, "backlog": 32_769.0}, book.only(t, message))
		stalled <- struct{}{}
		synctest.Wait()
		f.TakeOver(loud)
		synctest.Wait()
		require.Len(t, book.saying(t, message), 1)
		close(stalled)
		synctest.Wait()
		require.NoError(t, f.Health())
	})
}

// A subscriber that keeps up is never behind, however many events there were.
func TestLogWarnsOfNoSubscriberThatKeepsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger().Level(zerolog.WarnLevel)}, 10)
		loud := f.join("loud").PlayerSessionID
		f.Subscribe(func(session.Event) {})
		for range 3 {
			for range 20_000 {
				f.TakeOver(loud)
			}
			synctest.Wait()
		}
		require.Empty(t, book.text())
	})
}

// Close waits for its goroutines, the one that warns of a subscriber included:
// nothing is logged behind Close.
func TestLogIsOverWhenClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := new(slowWriter)
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: zerolog.New(zerolog.MultiLevelWriter(w, book)).Level(zerolog.InfoLevel)}, 10)
		loud := f.join("loud").PlayerSessionID
		stalled := make(chan struct{})
		f.Subscribe(func(session.Event) { <-stalled })
		w.take(time.Second)
		for range 32_769 {
			f.TakeOver(loud)
		}
		close(stalled)
		require.NoError(t, f.Close())
		said := book.text()
		time.Sleep(time.Minute)
		require.Equal(t, said, book.text())
	})
}

// So is the sum of strangers: what has been counted is said before Close returns,
// also if the log is at it just then.
func TestLogOfStrangersIsOverWhenClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := new(slowWriter)
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: zerolog.New(zerolog.MultiLevelWriter(w, book))}, 10)
		for range 4 {
			f.Activate("psess-unknown")
		}
		w.take(time.Second)
		time.Sleep(10*time.Second + 1) // the pause is over: it speaks, slowly
		require.NoError(t, f.Close())
		said := book.text()
		time.Sleep(time.Minute)
		require.Equal(t, 4, book.sum(t, strangers, "unknown"))
		require.Equal(t, said, book.text())
	})
}

// WithLogger is another door to the same table, with a log of its own.
func TestWithLogger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book, door := new(logBook), new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 1)
		d := f.WithLogger(door.logger())
		ps, err := d.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
		require.NoError(t, err)
		require.Equal(t, ps, f.lookup(ps.PlayerSessionID))
		f.accept(ps.PlayerSessionID)
		before := book.text()
		_, err = d.Activate(ps.PlayerSessionID)
		requireOnly(t, session.ErrAlreadyActive, err)
		_, err = d.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "bob"})
		requireOnly(t, session.ErrGameSessionFull, err)
		for range 10 {
			d.Activate("psess-stranger")
		}
		require.Equal(t, before, book.text())
		door.only(t, "player refused: the id is in use")
		door.only(t, "reservation refused")
		require.Equal(t, 1, door.sum(t, strangers, "unknown"))
		f.Activate("psess-stranger")
		require.Equal(t, 1, book.sum(t, strangers, "unknown"))
		require.Equal(t, uint64(11), f.Stats().Refused["not_found"])
		require.Equal(t, f.Stats(), d.Stats())

		require.NoError(t, d.Close()) // of the table as a whole
		require.Equal(t, 10, door.sum(t, strangers, "unknown"))
		require.Equal(t, 1, book.sum(t, strangers, "unknown"))
		require.ErrorIs(t, f.Health(), session.ErrClosed)
	})
}

// A silent table says nothing, and works.
func TestLogSilent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 0)
	f.WithLogger(zerolog.Logger{}).Activate("psess-stranger")
	f.Activate("malformed")
	for i := range 3 {
		f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint("psess-", i)})
	}
}
