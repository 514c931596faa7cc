// Package figures is what a run finds out: the report's content, and its form as
// JSON. Durations are whole nanoseconds there, shares lie between 0 and 1.
package figures

import "time"

// Report is all there is to say about one run.
type Report struct {
	Answer   string   `json:"answer"` // one sentence
	Run      Run      `json:"run"`
	Machine  Machine  `json:"machine"`
	Clock    Clock    `json:"clock"`
	Sizes    []Size   `json:"sizes"` // ascending
	Storms   []Storm  `json:"storms"`
	Cores    []Cores  `json:"cores"`
	Retained Retained `json:"retained"`
}

// Run says how the figures came about.
type Run struct {
	Command string        `json:"command"`
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"`
	Quick   bool          `json:"quick"`

	LeftOut []string `json:"left_out,omitempty"` // for lack of time

	Bound       time.Duration `json:"p99_bound_ns"`         // a rate is sustained if its p99 stays under it
	Duration    time.Duration `json:"duration_ns"`          // how long each rate is recorded
	Timeout     time.Duration `json:"timeout_ns"`           // of the load's reservations, and the lead-in of each rate
	JoinRate    float64       `json:"join_rate,omitempty"`  // the one rate asked for; 0: several
	Seats       int           `json:"seats"`                // players per game session
	PlayerBytes int           `json:"player_id_bytes"`      // the player's own string, in every record
	Version     string        `json:"usher_commit"`         // of the library
	Modified    bool          `json:"usher_modified"`       // it has changes that are not committed
	Go          string        `json:"go_version"`           //
	MaxProcs    int           `json:"gomaxprocs"`           //
	GOGC        int           `json:"gogc"`                 // negative: off
	MemoryLimit int64         `json:"gomemlimit,omitempty"` // bytes; 0: none
}

// Machine is what the run ran on.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"` // logical ones
	Memory uint64 `json:"memory_bytes"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
}

// Clock is what the latencies were measured with. Each of them contains one
// reading of it.
type Clock struct {
	Cost       time.Duration `json:"cost_ns"`
	Resolution time.Duration `json:"resolution_ns"` // the smallest step seen
}

// Size is what was found out about a table with this many live slots, on one core.
type Size struct {
	Slots      int        `json:"slots"`
	Memory     Memory     `json:"memory"`
	Collection Collection `json:"collection"`
	Ceiling    float64    `json:"ceiling_joins_per_second"` // back to back, without a pause
	PerCPU     float64    `json:"joins_per_cpu_second"`     // likewise; 0: the system does not tell
	Floor      Latency    `json:"floor"`                    // at rest, but with calls that do nothing
	Loads      []Load     `json:"loads"`                    // ascending
}

// Sustained returns the load with the highest rate that was kept up, or nil.
func (s *Size) Sustained() *Load {
	for i := len(s.Loads) - 1; i >= 0; i-- {
		if s.Loads[i].Sustained {
			return &s.Loads[i]
		}
	}
	return nil
}

// Rest returns the load that stands for a table at rest, or nil.
func (s *Size) Rest() *Load {
	for i := range s.Loads {
		if s.Loads[i].Rest {
			return &s.Loads[i]
		}
	}
	return nil
}

// Memory is the live heap of a full table.
type Memory struct {
	Bytes   int64   `json:"bytes"`
	PerSlot float64 `json:"bytes_per_slot"`
}

// Collection is one full garbage collection with the table full, on one core.
type Collection struct {
	Runs  int           `json:"runs"`
	Cycle time.Duration `json:"cycle_ns"`         // from beginning to end, median
	CPU   time.Duration `json:"cpu_ns"`           // mean
	Pause time.Duration `json:"longest_pause_ns"` // the world stopped
}

// Retained is what sessions cost that have ended, and timers of joins that are
// not due yet.
type Retained struct {
	Sessions   int     `json:"sessions"`
	PerSession float64 `json:"bytes_per_session"`
	PerTimer   float64 `json:"bytes_per_timer"` // from an accept until the reservation would have timed out
}

// Cores is what that many cores do in a second, back to back, together.
type Cores struct {
	Cores   int     `json:"cores"`
	Slots   int     `json:"slots"`
	Joins   float64 `json:"joins_per_second"`
	Accepts float64 `json:"accepts_per_second"`
	GotCPU  float64 `json:"got_cpu"` // share of these cores that the machine let this process have
}
