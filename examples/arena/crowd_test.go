package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"math"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// picture is how arena.png is made: go test -run 'TestBrowser/a_crowd' -picture arena.png
var picture = flag.String("picture", "", "where to write a picture of a crowd, as PNG")

// crowd is a full arena: one page, some who chase sparks, one who has dropped, and
// a reservation.
func crowd(t *testing.T, b *browser) {
	o := patient(8)
	o.timeout, o.window = longest, longest // long enough for a slow machine, and rings that can be seen to run
	s := running(t, o)
	ann := b.open(t, s.playURL())
	ann.join("Ann")
	for _, name := range []string{"Bob", "Cem", "Dot", "Eve"} {
		s.chases(t, s.connects(t, s.reserves(t, name).ID))
	}
	gone := s.connects(t, s.reserves(t, "Fay").ID)
	s.chases(t, gone)
	s.reserves(t, "Gus")
	ann.await(`arena.stage.frames.at(-1)?.players.reduce((sum, p) => sum + p.score, 0) >= 20`)
	gone.CloseNow()
	ann.says("Fay (away)")

	closed(t, s.connects(t, "psess-invented"))
	call(t, http.MethodDelete, s.playURL()+"seat", s.reserves(t, "Hal").ID, "", nil) // given up

	ops := b.open(t, s.opsURL())
	ops.says("not_found")
	for id, n := range map[string]string{"active": "5", "reserved": "1", "waiting": "1", "free": "1"} {
		ops.await(`document.getElementById("` + id + `").textContent === "` + n + `"`)
	}
	require.Equal(t, 8, value[int](ops, `document.querySelectorAll(".seat").length`))
	require.Equal(t, 7, value[int](ops, `document.querySelectorAll(".seat button").length`))
	if *picture != "" {
		time.Sleep(20 * time.Second) // rings that have run for a while look better
		require.NoError(t, os.WriteFile(*picture, sideBySide(t, ann.shot(1000, 640), ops.shot(1000, 640)), 0o644))
	}
}

// chases steers a player from spark to spark, until the connection ends.
func (s *server) chases(t *testing.T, conn *websocket.Conn) {
	t.Helper()
	you := hears[greeting](t, conn).You
	go func() {
		for ctx := context.Background(); ; {
			_, text, err := conn.Read(ctx)
			var f frame
			if err != nil || json.Unmarshal(text, &f) != nil {
				return
			}
			if f.Tick%4 == 0 && conn.Write(ctx, websocket.MessageBinary, f.next(you)) != nil {
				return
			}
		}
	}()
}

// next is the direction of a spark that a seat is after.
func (f *frame) next(seat int) []byte {
	for _, p := range f.Players {
		if p.Seat != seat {
			continue
		}
		dx, dy, far := 0.0, 0.0, math.Inf(1)
		for _, s := range f.Sparks {
			d := math.Hypot(s.X-p.X, s.Y-p.Y)
			if liked := d * float64(1+(s.Number*5+seat*3)%7); liked < far { // lest all run after the same
				dx, dy, far = (s.X-p.X)/d, (s.Y-p.Y)/d, liked
			}
		}
		return []byte{byte(int8(dx * 127)), byte(int8(dy * 127))}
	}
	return []byte{0, 0}
}

// shot is what a tab looks like, at a size.
func (p *tab) shot(width, height int64) []byte {
	p.Helper()
	p.run(chromedp.EmulateViewport(width, height))
	time.Sleep(500 * time.Millisecond) // for trails at that size
	ctx, cancel := context.WithTimeout(p.ctx, longest)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(p, err)
	return shot
}

func sideBySide(t *testing.T, left, right []byte) []byte {
	t.Helper()
	a, err := png.Decode(bytes.NewReader(left))
	require.NoError(t, err)
	b, err := png.Decode(bytes.NewReader(right))
	require.NoError(t, err)
	const gap = 8
	both := image.NewRGBA(image.Rect(0, 0, a.Bounds().Dx()+gap+b.Bounds().Dx(), a.Bounds().Dy()))
	draw.Draw(both, both.Bounds(), image.NewUniform(a.At(0, 0)), image.Point{}, draw.Src)
	draw.Draw(both, a.Bounds(), a, image.Point{}, draw.Src)
	draw.Draw(both, b.Bounds().Add(image.Pt(a.Bounds().Dx()+gap, 0)), b, image.Point{}, draw.Src)
	var out bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, both))
	return out.Bytes()
}
