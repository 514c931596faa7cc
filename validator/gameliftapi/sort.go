package gameliftapi

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// parseSort reads a sort expression, such as "creationTimeMillis ASC". Those that
// lack the operand come last, whatever the order. An empty one changes nothing.
func parseSort(expression string) (func(a, b *GameSession) int, error) {
	if expression == "" {
		return func(_, _ *GameSession) int { return 0 }, nil
	}
	words := strings.Fields(expression)
	if len(words) != 2 || !slices.Contains([]string{"ASC", "DESC"}, words[1]) {
		return nil, faultyExpression("SortExpression", errors.New("must be an operand and ASC or DESC"))
	}
	of, _, err := attributeOf(words[0])
	if err != nil {
		return nil, faultyExpression("SortExpression", err)
	}
	return func(a, b *GameSession) int { return compareAttributes(of(a), of(b), words[1] == "DESC") }, nil
}

func compareAttributes(a, b any, descending bool) int {
	if a == nil || b == nil {
		return cmp.Compare(rank(a == nil), rank(b == nil))
	}
	if descending {
		a, b = b, a
	}
	switch a := a.(type) { // b is of the same type: it is the same attribute
	case string:
		b, _ := b.(string)
		return cmp.Compare(a, b)
	case int64:
		b, _ := b.(int64)
		return cmp.Compare(a, b)
	}
	return cmp.Compare(rank(a == true), rank(b == true))
}

// rank puts false before true.
func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}
