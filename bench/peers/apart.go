package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// figure is what a process of its own has found out.
type figure struct {
	Work         string
	Slots, Procs int
	Value        float64
}

// apart takes the figures of a contender's storm, and of its growth, in a process of
// its own: the timers that a million reservations leave behind would slow the next
// contender's.
func (r *runner) apart(e Entrant) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := exec.Command(self, "-storm", e.Name, "-sizes", strconv.Itoa(r.largest())).Output()
	if err != nil {
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			return fmt.Errorf("%s: in a process of its own: %w: %s", e.Name, err, exit.Stderr)
		}
		return err
	}
	var figures []figure
	if err := json.Unmarshal(out, &figures); err != nil {
		return err
	}
	for _, f := range figures {
		r.add(e.Name, key{f.Work, f.Slots, f.Procs}, f.Value)
	}
	return nil
}

// storm is that process: it writes the figures of the contender of that name.
func (r *runner) storm(name string, out io.Writer) error {
	for _, e := range entrants(Entrant{}) {
		if e.Name != name || !e.does(expiry) {
			continue
		}
		if err := (&storm{runner: r, entrant: e, slots: r.largest()}).run(); err != nil {
			return err
		}
		if e.does(growth) {
			if err := r.measure(e.Name, func() error { return r.grow(e, r.largest()) }); err != nil {
				return err
			}
		}
		var figures []figure
		for k, values := range r.samples[e.Name] {
			for _, v := range values {
				figures = append(figures, figure{k.work, k.slots, k.procs, v})
			}
		}
		return json.NewEncoder(out).Encode(figures)
	}
	return fmt.Errorf("nobody's storm is called %q", name)
}
