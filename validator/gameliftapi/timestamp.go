package gameliftapi

import (
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

// MarshalCBOR writes a float64 under the tag.
func (t timestamp) MarshalCBOR() ([]byte, error) {
	return cborWriter.Marshal(cbor.Tag{Number: epochTag, Content: t.seconds()})
}

// seconds returns the nearest float64, which times 1,000 is the millisecond again.
// SDKs cut off what is behind the point then, so with what cbor makes of a
// time.Time Amazon's for Go is a millisecond early every now and then.
func (t timestamp) seconds() float64 { return float64(time.Time(t).UnixMilli()) / 1000 }
