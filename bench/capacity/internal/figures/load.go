package figures

import "time"

// Load is one rate of joins in open loop: what is due comes whether or not the
// table has kept up.
type Load struct {
	Rate      float64 `json:"joins_per_second"` // offered
	Rest      bool    `json:"rest,omitempty"`   // it stands for a table at rest
	Sustained bool    `json:"sustained"`
	Why       string  `json:"why,omitempty"` // it was not
	Attempts  int     `json:"attempts"`      // these are the last one's figures

	Busy   float64 `json:"busy"`      // share of the core spent in calls
	GC     float64 `json:"gc"`        // share of the core spent collecting garbage
	GotCPU float64 `json:"got_cpu"`   // share of a core that the machine let this process have
	Late   int     `json:"timed_out"` // reservations that were accepted too late
	Left   int     `json:"unserved"`  // calls still due when it was given up

	// From when a call was due until it returned: what a player waits.
	Reserve Latency `json:"reserve"`
	Accept  Latency `json:"accept"`
	Release Latency `json:"release"`

	// The call alone.
	ReserveCall Latency `json:"reserve_call"`
	AcceptCall  Latency `json:"accept_call"`
	ReleaseCall Latency `json:"release_call"`
}

// Storm is a table of which one half expires at one instant, while the other goes
// on as at rest. Only what was due in the storm is in its latencies.
type Storm struct {
	Cores    int           `json:"cores"`
	Slots    int           `json:"slots"`
	Expiring int           `json:"expiring"`
	Rounds   int           `json:"rounds"`
	Rate     float64       `json:"joins_per_second"`
	Window   time.Duration `json:"window_ns"`     // how long it lasts, undisturbed
	Each     time.Duration `json:"per_expiry_ns"` // likewise
	Late     int           `json:"timed_out"`

	Reserve Latency `json:"reserve"`
	Accept  Latency `json:"accept"`
}

// Latency is a distribution, known to three digits.
type Latency struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p99_9_ns"`
	Max   time.Duration `json:"max_ns"`
	Curve []Quantile    `json:"curve,omitempty"` // ascending, as far as Count bears
}

// Quantile says that a share of all was no slower than Value.
type Quantile struct {
	Share float64       `json:"share"`
	Value time.Duration `json:"value_ns"`
}
