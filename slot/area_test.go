package slot

import (
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// However a table has grown, every player's home is known without a lock.
func TestAreas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"from nothing":    {Stripes: 4},
		"presized":        {Stripes: 4, Capacity: 1000},
		"beyond capacity": {Stripes: 4, Capacity: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := NewTable(c)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, table.Close()) })
			for i := range table.stripes {
				s := &table.stripes[i]
				require.EqualValues(t, s.live.homes, table.areas[i].homes.Load())
			}
			require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "g", MaximumPlayerSessionCount: 1000}))
			require.NoError(t, table.ActivateGameSession("g"))
			for i := range 1000 {
				ps, err := table.Reserve(Reservation{GameSessionID: "g", PlayerID: strconv.Itoa(i)})
				require.NoError(t, err)
				k, _, _ := table.keys.of(ps.PlayerSessionID)
				live := &table.stripe(k).live
				home := &live.slots[live.home(k)]
				require.Equal(t, uintptr(unsafe.Pointer(home)), table.area(k).home(k))
			}
		})
	}
}
