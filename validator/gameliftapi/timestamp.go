package gameliftapi

import (
	"math"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// timestamp is on the wire in epoch seconds with a millisecond fraction.
type timestamp time.Time

// IsZero is for omitzero.
func (t timestamp) IsZero() bool { return time.Time(t).IsZero() }

// MarshalJSON writes the shortest number that is this millisecond.
func (t timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, t.seconds(), 'f', -1, 64), nil
}

const epochTag = 1

// MarshalCBOR writes a float64. Of the two next to the millisecond it is the one
// that is not below it, for SDKs multiply by 1,000 and cut off the rest: Amazon's
// for Go would be a millisecond early every now and then.
func (t timestamp) MarshalCBOR() ([]byte, error) {
	seconds := t.seconds()
	if int64(seconds*1000) < time.Time(t).UnixMilli() {
		seconds = math.Nextafter(seconds, math.Inf(1))
	}
	return cborWriter.Marshal(cbor.Tag{Number: epochTag, Content: seconds})
}

func (t timestamp) seconds() float64 { return float64(time.Time(t).UnixMilli()) / 1000 }
