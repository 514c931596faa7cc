package bench_test

import "strconv"

// crowd is the players who come. Their strings stand one behind the other, each
// of the same length, so that holding them costs the garbage collector nothing.
type crowd struct{ text string }

// What a player brings: an id and data of ordinary length.
const (
	playerIDLen = len("player-10000000")
	dataLen     = len(`{"team":"red","skill":1000}`)
	playerLen   = playerIDLen + dataLen
)

func newCrowd(n int) crowd {
	text := make([]byte, 0, n*playerLen)
	for i := range n {
		text = append(text, "player-"...)
		text = strconv.AppendInt(text, int64(10_000_000+i), 10)
		text = append(text, `{"team":"red","skill":`...)
		text = strconv.AppendInt(text, int64(1000+i%9000), 10)
		text = append(text, '}')
	}
	return crowd{string(text)}
}

func (c crowd) playerID(i int) string { return c.text[i*playerLen:][:playerIDLen] }
func (c crowd) data(i int) string     { return c.text[i*playerLen+playerIDLen:][:dataLen] }
