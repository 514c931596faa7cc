package slot_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// What the mutants of verify/mutants showed that no other test sees.

// closer is a logger's output that closes the table when a line says something.
type closer struct {
	says  string
	table *slot.Table
}

func (c *closer) Write(line []byte) (int, error) {
	if c.table != nil && strings.Contains(string(line), c.says) {
		table := c.table
		c.table = nil
		_ = table.Close()
	}
	return len(line), nil
}

// A reservation that has begun, and has not got as far as its game session when
// the table is closed, is not made.
func TestReserveIsOvertakenByClose(t *testing.T) {
	t.Parallel()
	c := &closer{says: "passed as a PlayerID"}
	f := newFixture(t, slot.Config{Logger: zerolog.New(c)}, 1)
	c.table = f.Table
	_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "psess-01234567-89ab-cdef-fedc-ba9876543210"})
	require.Nil(t, c.table, "the table is not closed")
	requireOnly(t, session.ErrClosed, err)
	require.Zero(t, f.Stats().Reserved)
}

// A table that is made amid a millisecond has the wall's all the same: its times
// are those of the wall, and of those who ended within one of them whoever was
// noticed first is forgotten first.
func TestTableMadeAmidAMillisecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(500 * time.Microsecond)
		f := newFixture(t, slot.Config{MaxRetained: 1}, 2)
		left, absent := f.reserve("left").PlayerSessionID, f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "absent", Timeout: 700 * time.Microsecond}).PlayerSessionID
		time.Sleep(1400 * time.Microsecond) // 0.9 ms into the next one; the deadline was at 0.2
		ended := f.release(left)
		require.True(t, time.Now().Truncate(time.Millisecond).Equal(ended.TerminationTime), ended.TerminationTime)
		time.Sleep(lateness)
		synctest.Wait()
		_, err := f.Lookup(left)
		requireOnly(t, session.ErrPlayerSessionNotFound, err)
		require.Equal(t, ended.TerminationTime, f.lookup(absent).TerminationTime)
	})
}
