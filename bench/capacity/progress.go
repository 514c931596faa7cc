package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress says what is being measured. It speaks between measurements only, so
// as not to be in them: on a terminal in one line that is written over, else in a
// line for each step.
type progress struct {
	to       io.Writer
	terminal bool
}

func newProgress(to io.Writer) *progress { return &progress{to: to, terminal: isTerminal(to)} }

// clearLine takes the cursor to the front and removes what stands there.
const clearLine = "\r\x1b[2K"

func (p *progress) tell(what string, step, of int, left time.Duration) {
	line := fmt.Sprintf("[%d/%d] %s, about %v left", step, of, what, left.Round(time.Second))
	if p.terminal {
		fmt.Fprint(p.to, clearLine+line)
		return
	}
	fmt.Fprintln(p.to, line)
}

// end leaves a clean line behind.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.to, clearLine)
	}
}

// isTerminal tells whether w understands control characters.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
