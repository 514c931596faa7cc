package gameliftapi

import "github.com/fxamacker/cbor/v2"

// What an honest request needs, with room for members that are not known here:
// lists of up to 25 players, maps in lists in a map.
const (
	maxDepth    = 16
	maxElements = 256
)

// cborReader refuses what AWS SDKs never send: tags, names twice, texts that are
// not UTF-8, more behind the value. Lengths may be indefinite: some SDKs write
// them so.
var cborReader = must(cbor.DecOptions{
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
	MaxNestedLevels:   maxDepth,
	MaxArrayElements:  maxElements,
	MaxMapPairs:       maxElements,
	TagsMd:            cbor.TagsForbidden,
	FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
}.DecMode())

var cborWriter = must(cbor.EncOptions{}.EncMode())

func must[T any](mode T, err error) T {
	if err != nil {
		panic(err)
	}
	return mode
}

func decodeCBOR(body []byte, input any) error { return cborReader.Unmarshal(body, input) }

func encodeCBOR(output any) ([]byte, error) { return cborWriter.Marshal(output) }
