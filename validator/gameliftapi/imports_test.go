package gameliftapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A game server compiles in a CBOR library, and no AWS SDK: those are for tests.
func TestImports(t *testing.T) {
	t.Parallel()
	imports := run(t, ".", nil, "go", "list", "-deps", ".")
	require.Contains(t, imports, "github.com/fxamacker/cbor/v2\n")
	require.NotContains(t, imports, "github.com/aws/")
	require.NotContains(t, imports, "testify")
}
