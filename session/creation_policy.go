package session

// CreationPolicy says whether a game session takes new player sessions. The words
// are those of GameLift's PlayerSessionCreationPolicy.
type CreationPolicy uint8

const (
	// AcceptAll lets reservations in. It is the zero value, as it is the policy
	// of a new game session in GameLift.
	AcceptAll CreationPolicy = iota

	// DenyAll refuses reservations with [ErrCreationDenied]. Who holds a
	// reservation already may still be accepted.
	DenyAll
)

var creationPolicies = vocabulary{
	typ:   "CreationPolicy",
	field: "PlayerSessionCreationPolicy",
	words: []string{
		AcceptAll: "ACCEPT_ALL",
		DenyAll:   "DENY_ALL",
	},
}

// ParseCreationPolicy returns the policy with the given wire name, "ACCEPT_ALL" or
// "DENY_ALL", in just this spelling. Any other text, the empty one included, is a
// [*FieldError], which matches [ErrInvalidField].
func ParseCreationPolicy(name string) (CreationPolicy, error) {
	v, err := creationPolicies.parse(name)
	return CreationPolicy(v), err
}

// String returns the wire name of p, or "CreationPolicy(9)" for a value that has
// none.
func (p CreationPolicy) String() string { return creationPolicies.name(uint8(p)) }

// MarshalText returns the wire name of p. A value that has none is a
// [*FieldError], which matches [ErrInvalidField].
func (p CreationPolicy) MarshalText() ([]byte, error) { return creationPolicies.marshal(uint8(p)) }

// UnmarshalText sets p to the policy with the given wire name. On any text that
// [ParseCreationPolicy] refuses it returns the same error and leaves p as it was.
func (p *CreationPolicy) UnmarshalText(name []byte) error {
	v, err := ParseCreationPolicy(string(name))
	if err != nil {
		return err
	}
	*p = v
	return nil
}
