package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// idPrefix begins every player session id, by GameLift's documentation.
	idPrefix = "psess-"

	// maxIDBytes is GameLift's limit of 128 characters, taken in bytes so that
	// no client can make the table hash or keep more than that.
	maxIDBytes = 128
)

// NewPlayerSessionID returns a new player session id: "psess-" and a random UUID
// (version 4, lower case) from crypto/rand. Its 122 random bits are all that keeps
// a stranger from the seat, so treat it as a password.
func NewPlayerSessionID() string {
	var uuid [16]byte
	_, _ = rand.Read(uuid[:]) // never fails: it ends the process instead
	uuid[6] = uuid[6]&0x0f | 0x40
	uuid[8] = uuid[8]&0x3f | 0x80

	var id [len(idPrefix) + 36]byte
	text := id[copy(id[:], idPrefix):]
	hex.Encode(text[0:8], uuid[0:4])
	text[8] = '-'
	hex.Encode(text[9:13], uuid[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], uuid[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], uuid[8:10])
	text[23] = '-'
	hex.Encode(text[24:36], uuid[10:16])
	return string(id[:])
}

// ValidatePlayerSessionID returns nil if id could be a player session's, or
// [ErrInvalidPlayerSessionID]. It could be one if it is "psess-" and at least one
// more character, by GameLift's documentation, and, chosen here, valid UTF-8
// without white space or control characters and no longer than 128 bytes. An id in
// upper case is another id, or, if the prefix is, none.
//
// It does not allocate, so it may stand before everything else on a text that came
// from a stranger.
func ValidatePlayerSessionID(id string) error {
	if len(id) <= len(idPrefix) || len(id) > maxIDBytes || !strings.HasPrefix(id, idPrefix) || !utf8.ValidString(id) {
		return ErrInvalidPlayerSessionID
	}
	for _, r := range id {
		if isSpaceOrControl(r) {
			return ErrInvalidPlayerSessionID
		}
	}
	return nil
}

// isSpaceOrControl settles visible ASCII first, the whole of an ordinary id, to spare
// it the tables of package unicode.
func isSpaceOrControl(r rune) bool {
	if '!' <= r && r <= '~' {
		return false
	}
	return unicode.IsSpace(r) || unicode.IsControl(r)
}

// Redact returns a stand-in for a player session id that is safe in a log or a
// metric: "psess-…" and the first 8 hexadecimal digits of the id's SHA-256. It is
// the same in every process, so the logs of a backend and of a game server can be
// joined. The rule is chosen here, and it is the same for every text, the empty
// one included.
func Redact(id string) string {
	sum := sha256.Sum256([]byte(id))
	return idPrefix + "…" + hex.EncodeToString(sum[:4])
}

// RedactPlayerID returns playerID, or its [Redact] if a player session id stands
// in it, in any case of letters. To hand the player session id over where the
// player's own is asked for is a common slip, and it must not carry the secret
// into the logs. Chosen here.
func RedactPlayerID(playerID string) string {
	if strings.Contains(strings.ToLower(playerID), idPrefix) {
		return Redact(playerID)
	}
	return playerID
}
