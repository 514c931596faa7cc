//go:build usher_invariants

package slot_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// As long as the timer gets no processor, a deadline is noticed by the calls that
// read the clock, for all others; and as soon as it gets one, by itself.
func TestTimerWithoutProcessor(t *testing.T) {
	t.Parallel()
	// golang/go#24595, agrona#73
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 3)
		inTime, late, last := f.wait(time.Second), f.wait(time.Second), f.wait(time.Minute)
		release := f.HoldTimer()
		time.Sleep(30 * time.Second)
		synctest.Wait()

		f.accept(inTime.id) // nobody has noticed yet
		_, err := f.Extend(last.id, time.Minute)
		require.NoError(t, err)
		_, err = f.Activate(late.id)
		require.ErrorIs(t, err, session.ErrTimedOut)
		require.NoError(t, f.CheckInvariants())

		release()
		synctest.Wait()
		require.Equal(t, 2, f.held())
		time.Sleep(time.Minute + wheelTick)
		synctest.Wait()
		require.Equal(t, 1, f.held())

		f.HoldTimer() // Close does not wait for it
		time.Sleep(time.Second)
	})
}
