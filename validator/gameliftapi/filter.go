package gameliftapi

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
)

// condition is a filter expression, or a part of one.
type condition func(*GameSession) bool

// parseFilter reads a filter expression. An empty one matches all.
//
//	or        = and { "OR" and }
//	and       = not { "AND" not }
//	not       = "NOT" not | "(" or ")" | comparison
//	comparison = operand comparator value
func parseFilter(expression string) (condition, error) {
	if expression == "" {
		return func(*GameSession) bool { return true }, nil
	}
	tokens, err := tokenize(expression)
	if err != nil {
		return nil, faultyExpression("FilterExpression", err)
	}
	p := &filterParser{tokens: tokens}
	c, err := p.or()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("goes on with %s where it should be over", p.tokens[0])
	}
	if err != nil {
		return nil, faultyExpression("FilterExpression", err)
	}
	return c, nil
}

func faultyExpression(field string, err error) error {
	return &exception{invalidRequest, field + " " + err.Error()}
}

// filterParser reads tokens from the front.
type filterParser struct{ tokens []token }

func (p *filterParser) next() (t token, ok bool) {
	if len(p.tokens) == 0 {
		return token{}, false
	}
	t, p.tokens = p.tokens[0], p.tokens[1:]
	return t, true
}

// take takes the next token if it is this word or sign.
func (p *filterParser) take(text string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != (token{text: text}) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *filterParser) or() (condition, error) {
	left, err := p.and()
	for err == nil && p.take("OR") {
		var right condition
		right, err = p.and()
		left = either(left, right)
	}
	return left, err
}

func either(a, b condition) condition {
	return func(gs *GameSession) bool { return a(gs) || b(gs) }
}

func (p *filterParser) and() (condition, error) {
	left, err := p.not()
	for err == nil && p.take("AND") {
		var right condition
		right, err = p.not()
		left = both(left, right)
	}
	return left, err
}

func both(a, b condition) condition {
	return func(gs *GameSession) bool { return a(gs) && b(gs) }
}

func (p *filterParser) not() (condition, error) {
	if p.take("NOT") {
		c, err := p.not()
		return func(gs *GameSession) bool { return !c(gs) }, err
	}
	if !p.take("(") {
		return p.comparison()
	}
	c, err := p.or()
	if err == nil && !p.take(")") {
		err = errors.New("has a parenthesis that is not closed")
	}
	return c, err
}

func (p *filterParser) comparison() (condition, error) {
	operand, _ := p.next()
	comparator, _ := p.next()
	value, complete := p.next()
	if !complete || operand.quoted || comparator.quoted {
		return nil, errors.New("must be made of conditions such as playerSessionCount < 4")
	}
	of, kind, err := attributeOf(operand.text)
	if err != nil {
		return nil, err
	}
	wanted, err := value.as(kind)
	if err != nil {
		return nil, err
	}
	return compareWith(of, comparator.text, wanted)
}

// compareWith returns the condition. A game session without the property that is
// asked for differs from every value.
func compareWith(of attribute, comparator string, wanted any) (condition, error) {
	holds, ok := comparators[comparator]
	if !ok {
		return nil, errors.New("has a comparator that is none of =, <>, <, >, <= and >=")
	}
	if number, ok := wanted.(int64); ok {
		return func(gs *GameSession) bool {
			have, _ := of(gs).(int64)
			return holds(cmp.Compare(have, number))
		}, nil
	}
	if comparator != "=" && comparator != "<>" {
		return nil, errors.New("may compare strings and booleans with = and <> only")
	}
	return func(gs *GameSession) bool { return (of(gs) == wanted) == (comparator == "=") }, nil
}

// comparators tell whether they hold for a comparison's result.
var comparators = map[string]func(int) bool{
	"=":  func(c int) bool { return c == 0 },
	"<>": func(c int) bool { return c != 0 },
	"<":  func(c int) bool { return c < 0 },
	">":  func(c int) bool { return c > 0 },
	"<=": func(c int) bool { return c <= 0 },
	">=": func(c int) bool { return c >= 0 },
}

// as reads a value as one of kind's type.
func (t token) as(kind any) (any, error) {
	switch kind.(type) {
	case string:
		if !t.quoted {
			return nil, fmt.Errorf("must have quotes around the string %s", t)
		}
		return t.text, nil
	case bool:
		if t.quoted || t.text != "true" && t.text != "false" {
			return nil, fmt.Errorf("has %s where true or false is wanted", t)
		}
		return t.text == "true", nil
	}
	number, err := strconv.ParseInt(t.text, 10, 64)
	if t.quoted || err != nil {
		return nil, fmt.Errorf("has %s where a whole number is wanted", t)
	}
	return number, nil
}
