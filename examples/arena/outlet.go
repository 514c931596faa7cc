package main

// outlet holds the latest frame for one connection. A slow one misses frames; it
// never holds up the tick, and never hoards.
type outlet struct {
	frames chan []byte // of one; one goroutine puts
}

func newOutlet() *outlet { return &outlet{frames: make(chan []byte, 1)} }

func (o *outlet) put(frame []byte) {
	select {
	case <-o.frames: // nobody has come for it
	default:
	}
	o.frames <- frame // there is room: nobody else puts
}
