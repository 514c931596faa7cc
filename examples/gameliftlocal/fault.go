package main

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fault is what is done to the requests of an action on purpose.
type fault struct {
	share  float64 // of the requests fail
	status int     // with
	delay  time.Duration
}

// faults are the faults of all actions. The nth request of an action fails or not,
// whenever it comes, so that a test can count on it.
type faults struct {
	of map[string]fault

	mu   sync.Mutex
	seen map[string]float64 // requests of each action
}

// parseFault reads "AcceptPlayerSession=10%,2s": one in ten requests fails, and all
// are delayed by 2 s. Either may be left out, and a third part is the status that
// they fail with.
func parseFault(text string) (action string, f fault, err error) {
	action, parts, ok := strings.Cut(text, "=")
	if !ok || actions[action] == nil {
		return "", f, fmt.Errorf("gameliftlocal: -fault %q: must be Action=10%%,2s, with one of %s",
			text, strings.Join(slices.Sorted(maps.Keys(actions)), " "))
	}
	f.status = http.StatusInternalServerError
	for part := range strings.SplitSeq(parts, ",") {
		if err := f.set(part); err != nil {
			return "", f, fmt.Errorf("gameliftlocal: -fault %q: %w", text, err)
		}
	}
	return action, f, nil
}

// set takes a share, a delay or a status.
func (f *fault) set(part string) (err error) {
	if percent, ok := strings.CutSuffix(part, "%"); ok {
		f.share, err = strconv.ParseFloat(percent, 64)
		f.share /= 100
		if err != nil || !(f.share >= 0 && f.share <= 1) {
			return fmt.Errorf("%q must lie between 0%% and 100%%", part)
		}
		return nil
	}
	if status, err := strconv.Atoi(part); err == nil {
		f.status = status
		if status < 400 || status > 599 {
			return fmt.Errorf("%q must be a status between 400 and 599", part)
		}
		return nil
	}
	f.delay, err = time.ParseDuration(part)
	if err != nil || f.delay < 0 {
		return fmt.Errorf("%q is no share (10%%), no delay (2s) and no status (429)", part)
	}
	return nil
}

// strike says how long to delay a request, and how it fails: nil if it does not.
func (f *faults) strike(action string) (time.Duration, error) {
	of, ok := f.of[action]
	if !ok {
		return 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.seen[action] + 1
	f.seen[action] = n
	if math.Floor(n*of.share) == math.Floor((n-1)*of.share) {
		return of.delay, nil
	}
	return of.delay, &refusal{status: of.status, message: "a fault that gameliftlocal was asked for (-fault " + action + ")"}
}

func newFaults(of map[string]fault) *faults {
	return &faults{of: of, seen: map[string]float64{}}
}
