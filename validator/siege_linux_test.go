package validator_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// A server under siege is a process of its own, so that its memory, descriptors
// and goroutines can be told from those of the attackers. This variable holds how
// many descriptors it may have; 0 is no limit.
const besieged = "USHER_TEST_BESIEGED"

func TestMain(m *testing.M) {
	if descriptors, err := strconv.ParseUint(os.Getenv(besieged), 10, 64); err == nil {
		serveUnderSiege(descriptors)
		return
	}
	os.Exit(m.Run())
}

// condition is what the server says of itself.
type condition struct {
	Address     string
	IDs         []string // of new reservations
	Memory      uint64   // bytes of heap and stacks in use
	Descriptors int
	Goroutines  int // beyond those of the table
	Held        int // seats
	Stats       validator.ListenerStats
}

// serveUnderSiege welcomes players, and for every line of its input, a number of
// seats to reserve, tells its condition. At the input's end it closes the gate
// and tells the last.
func serveUnderSiege(descriptors uint64) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	if descriptors > 0 {
		must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: descriptors, Max: descriptors}))
	}
	table, err := slot.NewTable(slot.Config{ReservationTimeout: time.Hour, DuplicatePlayers: slot.DuplicatesAllow})
	must(err)
	must(table.CreateGameSession(session.GameSession{GameSessionID: match, MaximumPlayerSessionCount: 1 << 20}))
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	without := runtime.NumGoroutine()
	l := validator.New(table, validator.Config{}).NewListener(inner, validator.ListenerConfig{})
	var playing sync.WaitGroup
	playing.Go(func() {
		for {
			conn, err := l.AcceptPlayer()
			if err != nil {
				return
			}
			playing.Go(func() {
				fmt.Fprintln(conn, "welcome")
				_, _ = io.Copy(io.Discard, conn)
				must(conn.End())
			})
		}
	})

	self, err := os.Open("/proc/self/fd")
	must(err)
	tell := func(reserve int) {
		c := condition{Address: inner.Addr().String(), Stats: l.Stats(), Goroutines: runtime.NumGoroutine() - without}
		for range reserve {
			ps, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "player"})
			must(err)
			c.IDs = append(c.IDs, ps.PlayerSessionID)
		}
		_, err := self.Seek(0, io.SeekStart)
		must(err)
		names, err := self.Readdirnames(-1)
		must(err)
		c.Descriptors = len(names)
		gs, err := table.GameSession(match)
		must(err)
		c.Held = gs.CurrentPlayerSessionCount
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		c.Memory = memory.HeapInuse + memory.StackInuse
		must(json.NewEncoder(os.Stdout).Encode(c))
	}
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		reserve, err := strconv.Atoi(asked.Text())
		must(err)
		tell(reserve)
	}
	must(l.Close())
	playing.Wait()
	for patient := time.Now().Add(patience); runtime.NumGoroutine() > without && time.Now().Before(patient); {
		time.Sleep(time.Millisecond) // goroutines that are through have still to end
	}
	tell(0)
	must(table.Close())
}

// fortress is such a process.
type fortress struct {
	t       testing.TB
	ask     io.WriteCloser
	answers *json.Decoder
	wait    func() error
	stderr  bytes.Buffer
}

func newFortress(t testing.TB, descriptors int) *fortress {
	t.Helper()
	f := &fortress{t: t}
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), fmt.Sprintf("%s=%d", besieged, descriptors))
	server.Stderr = &f.stderr
	var err error
	f.ask, err = server.StdinPipe()
	require.NoError(t, err)
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	f.answers = json.NewDecoder(out)
	require.NoError(t, server.Start())
	f.wait = server.Wait
	return f
}

func (f *fortress) condition(reserve int) (c condition) {
	f.t.Helper()
	_, err := fmt.Fprintln(f.ask, reserve)
	require.NoError(f.t, err)
	require.NoError(f.t, f.answers.Decode(&c), "%s", &f.stderr)
	return c
}

// falls ends the process, which tells what is left.
func (f *fortress) falls() (last condition) {
	f.t.Helper()
	require.NoError(f.t, f.ask.Close())
	require.NoError(f.t, f.answers.Decode(&last))
	require.NoError(f.t, f.wait(), "%s", &f.stderr)
	return last
}

var megabyte = bytes.Repeat([]byte("x"), 1<<20)

// attacks are what a connection may do to a server.
var attacks = []struct {
	name        string
	attack      func(*net.TCPConn)
	descriptors int  // the server may have
	near        bool // from the address of the players
}{
	{name: "silent", attack: func(*net.TCPConn) {}},
	{name: "silent-same-address", attack: func(*net.TCPConn) {}, near: true},
	{name: "byte-a-second", attack: func(c *net.TCPConn) {
		for {
			if _, err := c.Write([]byte("p")); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}},
	{name: "no-newline", attack: func(c *net.TCPConn) { _, _ = c.Write(megabyte) }},
	{name: "random", attack: func(c *net.TCPConn) {
		noise := make([]byte, rand.IntN(4096))
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		_, _ = c.Write(noise)
	}},
	{name: "tls", attack: func(c *net.TCPConn) { _ = tls.Client(c, &tls.Config{ServerName: "example.com"}).Handshake() }},
	{name: "half-closed", attack: func(c *net.TCPConn) { _ = c.CloseWrite() }},
	{name: "reset", attack: func(c *net.TCPConn) {
		_, _ = c.Write([]byte("psess-"))
		_ = c.SetLinger(0)
		_ = c.Close()
	}},
	{name: "guessing", attack: func(c *net.TCPConn) { _, _ = fmt.Fprintln(c, session.NewPlayerSessionID()) }},
	{name: "no-descriptors", attack: func(*net.TCPConn) {}, descriptors: 128},
}

// besiege keeps up to n connections open, each from an address of its own, and
// opens new ones for those that were hung up on, until stop is called. opened
// counts them.
func besiege(address string, n int, near bool, attack func(*net.TCPConn)) (first <-chan struct{}, stop func() (opened int)) {
	const workers = 4
	var attacking, dialling sync.WaitGroup
	done, full := make(chan struct{}), make(chan struct{})
	opened := make([]int, workers)
	open := make([][]*net.TCPConn, workers)
	var filled sync.WaitGroup
	filled.Add(workers)
	go func() { filled.Wait(); close(full) }()
	for w := range workers {
		dialling.Go(func() {
			ring := make([]*net.TCPConn, max(n/workers, 1))
			open[w] = ring
			for i := 0; ; i++ {
				if i == len(ring) {
					filled.Done()
				}
				select {
				case <-done:
					if i < len(ring) {
						filled.Done()
					}
					opened[w] = i
					return
				default:
				}
				from := net.IPv4(127, byte(1+w), byte(i>>8), byte(i))
				if near {
					from = net.IPv4(127, 0, 0, 1)
				}
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: time.Second}
				conn, err := d.Dial("tcp", address)
				if err != nil {
					continue
				}
				tcp, _ := conn.(*net.TCPConn)
				if old := ring[i%len(ring)]; old != nil {
					_ = old.Close()
				}
				ring[i%len(ring)] = tcp
				attacking.Go(func() { attack(tcp) })
			}
		})
	}
	return full, func() int {
		close(done)
		dialling.Wait()
		total := 0
		for w := range workers {
			total += opened[w]
			for _, conn := range open[w] {
				if conn != nil {
					_ = conn.Close()
				}
			}
		}
		attacking.Wait()
		return total
	}
}

// enter is a player that comes in, and how long it takes from dialling to the
// server's welcome. tries counts how often it was pushed out before.
func enter(t testing.TB, address, id string) (took time.Duration, tries int) {
	t.Helper()
	began := time.Now()
	for ; ; tries++ {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(began.Add(patience)))
		_, err = fmt.Fprintln(conn, id)
		if err == nil {
			var line string
			if line, err = bufio.NewReader(conn).ReadString('\n'); err == nil {
				took = time.Since(began)
				require.Equal(t, "welcome\n", line)
				require.NoError(t, conn.Close())
				return took, tries
			}
		}
		conn.Close()
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		require.True(t, errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), err)
		require.Less(t, time.Since(began), patience)
	}
}

// report is what a siege has shown.
type report struct {
	median, p99 time.Duration
	tries       int // times that a player was pushed out
	opened      int // connections of the attackers
	memory      uint64
	pending     int
}

// siege lets players in while n connections attack, and requires the server to be
// as before when all is over.
func siege(t testing.TB, n, players int, descriptors int, near bool, attack func(*net.TCPConn)) report {
	t.Helper()
	f := newFortress(t, descriptors)
	f.condition(0) // descriptors that a process opens once are open then
	before := f.condition(players)
	ids := before.IDs
	first, stop := besiege(before.Address, n, near, attack)
	<-first

	var r report
	took := make([]time.Duration, players)
	for i, id := range ids {
		var tries int
		took[i], tries = enter(t, before.Address, id)
		r.tries += tries
		if i%10 == 0 {
			c := f.condition(0)
			r.memory, r.pending = max(r.memory, c.Memory), max(r.pending, c.Stats.Pending)
		}
	}
	r.opened = stop()
	slices.Sort(took)
	r.median, r.p99 = took[players/2], took[players*99/100]

	eventually(t, func() bool {
		c := f.condition(0)
		return c.Stats.Pending == 0 && c.Held == 0 && c.Goroutines <= before.Goroutines+1 && // the subscription
			c.Descriptors <= before.Descriptors
	}, "nothing is left behind")
	last := f.falls()
	require.Zero(t, last.Held)
	require.EqualValues(t, players, last.Stats.Accepted)
	require.Zero(t, last.Goroutines)
	require.Less(t, last.Descriptors, before.Descriptors, "the listener's own is closed, too")
	require.LessOrEqual(t, r.pending, 1024)
	require.Less(t, r.memory, uint64(64<<20))
	return r
}

// Under every attack the server stays up, its memory is bounded, and players get in.
// How fast, the benchmark says, when nothing else runs.
func TestSiege(t *testing.T) {
	t.Parallel()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			r := siege(t, affordable(1100), 20, a.descriptors, a.near, a.attack)
			require.Less(t, r.median, time.Second)
		})
	}
}

// BenchmarkSiege is the long version: 10,000 connections attack, and 100 players
// come in meanwhile, one after the other. In the median they do so within 50 ms. A
// neighbour on the machine adds to that, and never takes away: so if it was more, the
// siege is laid again, up to three times.
func BenchmarkSiege(b *testing.B) {
	const bound, sieges = 50 * time.Millisecond, 3
	for _, a := range attacks {
		b.Run("attack="+a.name, func(b *testing.B) {
			var r report
			for b.Loop() {
				for laid := 0; laid == 0 || laid < sieges && r.median > bound; laid++ {
					r = siege(b, affordable(10_000), 100, a.descriptors, a.near, a.attack)
				}
				require.LessOrEqual(b, r.median, bound)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(r.median.Microseconds())/1000, "median-ms")
			b.ReportMetric(float64(r.p99.Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(r.memory)/1e6, "peak-MB")
			b.ReportMetric(float64(r.opened), "connections")
			b.ReportMetric(float64(r.tries), "retries")
		})
	}
}

// affordable is n, or as many connections as the process may open.
func affordable(n int) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < uint64(n+1000) {
		return int(limit.Cur) / 2
	}
	return n
}
