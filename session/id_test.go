package session_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func ExampleRedact() {
	id := "psess-6f7a2f3e-3f9b-4c0a-9a57-0d6b9f4f1c55"
	fmt.Println(session.Redact(id))
	// Output: psess-…655e9c43
}

func TestNewPlayerSessionID(t *testing.T) {
	t.Parallel()
	uuid4 := regexp.MustCompile(`^psess-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := make(map[string]bool)
	digits := make([]map[byte]bool, len("psess-")+36)
	for i := range digits {
		digits[i] = make(map[byte]bool)
	}
	for range 2000 {
		id := session.NewPlayerSessionID()
		require.Regexp(t, uuid4, id)
		require.NoError(t, session.ValidatePlayerSessionID(id))
		require.False(t, seen[id])
		seen[id] = true
		for i := range id {
			digits[i][id[i]] = true
		}
	}

	// Each random digit takes every value there is for it: no bit is stuck.
	for i, values := range digits[len("psess-"):] {
		switch i {
		case 8, 13, 14, 18, 23:
			require.Len(t, values, 1, i)
		case 19:
			require.Len(t, values, 4, i)
		default:
			require.Len(t, values, 16, i)
		}
	}
}

func TestValidatePlayerSessionID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"psess-x",
		"psess--",
		"psess-psess-",
		"psess-6f7a2f3e-3f9b-4c0a-9a57-0d6b9f4f1c55",
		"psess-6F7A2F3E-3F9B-4C0A-9A57-0D6B9F4F1C55",
		`psess-"';DROP_TABLE_players--`,
		"psess-spielerin-ä-日本-🎮",
		"psess-\u200b", // of no width, but no white space
		"psess-\ufffd", // spelled out, it is a character like others
		"psess-" + strings.Repeat("x", 122),
		"psess-" + strings.Repeat("ä", 61),
	} {
		require.NoError(t, session.ValidatePlayerSessionID(id), "%q", id)
	}
	for _, id := range []string{
		"",
		"p",
		"psess",
		"psess-",
		"psess_x",
		" psess-x",
		"Psess-x",
		"PSESS-6F7A2F3E-3F9B-4C0A-9A57-0D6B9F4F1C55",
		"6f7a2f3e-3f9b-4c0a-9a57-0d6b9f4f1c55",
		"xpsess-x",
		"psess-x ",
		"psess-x\n",
		"psess-x\r\n",
		"psess- x",
		"psess-\tx",
		"psess-x\x00",
		"psess-\x1b[31m",
		"psess-x\x7f",
		"psess-\u0085",
		"psess-\u009f",
		"psess-\u00a0",
		"psess-\u2028",
		"psess-\u3000",
		"psess-\xff",
		"psess-\xc3",
		"psess-\xed\xa0\x80", // half a surrogate pair
		"psess-\xc0\xaf",     // an overlong slash
		"psess-" + strings.Repeat("x", 123),
		"psess-" + strings.Repeat("ä", 62),
		strings.Repeat("psess-x", 1<<20),
	} {
		require.Equal(t, session.ErrInvalidPlayerSessionID, session.ValidatePlayerSessionID(id), "%.40q", id)
	}
}

func FuzzValidatePlayerSessionID(f *testing.F) {
	for _, id := range []string{
		"", "psess-", "psess-x", "PSESS-x", "psess-\u2003", "psess-\xff", "psess-ä", session.NewPlayerSessionID(),
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		want := strings.HasPrefix(id, "psess-") && id != "psess-" && len(id) <= 128 && utf8.ValidString(id) &&
			strings.IndexFunc(id, unicode.IsSpace) < 0 && strings.IndexFunc(id, unicode.IsControl) < 0
		err := session.ValidatePlayerSessionID(id)
		require.Equal(t, want, err == nil)
		if !want {
			require.Equal(t, session.ErrInvalidPlayerSessionID, err)
		}
	})
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "x", "psess-x", secretID, "\xff", strings.Repeat("x", 1<<20)} {
		sum := sha256.Sum256([]byte(id))
		require.Equal(t, "psess-…"+hex.EncodeToString(sum[:])[:8], session.Redact(id))
	}
	require.Equal(t, "psess-…e3b0c442", session.Redact(""))
}

func TestRedactPlayerID(t *testing.T) {
	t.Parallel()
	for _, playerID := range []string{"", "alice", "psess", "psess_alice", "ACC-1", "日本", "\xff"} {
		require.Equal(t, playerID, session.RedactPlayerID(playerID))
	}
	for _, playerID := range []string{
		"psess-", secretID, strings.ToUpper(secretID), " " + secretID, "player:" + secretID, "\xff" + secretID,
	} {
		require.Equal(t, session.Redact(playerID), session.RedactPlayerID(playerID))
	}
}
