package gameliftapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// operation reads its input with decode, checks it, and returns its output.
type operation func(ctx context.Context, h *handler, decode func(input any) error) (output any, err error)

// operations are all there are. To add one, write its input, output and function,
// and enter it.
var operations = map[string]operation{
	"CreateGameSession":          of(createGameSession),
	"CreatePlayerSession":        of(createPlayerSession),
	"CreatePlayerSessions":       of(createPlayerSessions),
	"DescribeGameSessionDetails": of(describeGameSessionDetails),
	"DescribeGameSessions":       of(describeGameSessions),
	"DescribePlayerSessions":     of(describePlayerSessions),
	"SearchGameSessions":         of(searchGameSessions),
	"TerminateGameSession":       of(terminateGameSession),
	"UpdateGameSession":          of(updateGameSession),
}

// byDefault change nothing but player sessions.
var byDefault = []string{
	"CreatePlayerSession", "CreatePlayerSessions", "DescribePlayerSessions",
	"DescribeGameSessions", "DescribeGameSessionDetails", "SearchGameSessions",
}

// Operations returns the names of all operations that are served here, sorted.
func Operations() []string { return slices.Sorted(maps.Keys(operations)) }

// of makes an operation of a function on a typed input.
func of[In any, Out any, P interface {
	*In
	check(*faults)
}](run func(context.Context, *handler, P) (Out, error)) operation {
	return func(ctx context.Context, h *handler, decode func(any) error) (any, error) {
		var in P = new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		var broken faults
		if in.check(&broken); len(broken) > 0 {
			return nil, broken.exception()
		}
		out, err := run(ctx, h, in)
		return out, err
	}
}

func (c Config) allowed() []string {
	if len(c.Operations) == 0 {
		return byDefault
	}
	for _, name := range c.Operations {
		if operations[name] == nil {
			panic(fmt.Sprintf("gameliftapi: there is no operation %q to allow; there are %v", name, Operations()))
		}
	}
	return c.Operations
}

// operation returns the operation of a name, if it is allowed.
func (h *handler) operation(name string) (operation, error) {
	if run := h.operations[name]; run != nil {
		return run, nil
	}
	if operations[name] != nil {
		return nil, &exception{unauthorized, name + " is not among the operations allowed here"}
	}
	return nil, &exception{unknownOperation, "this operation is not built here; those that are: " + strings.Join(Operations(), ", ")}
}
