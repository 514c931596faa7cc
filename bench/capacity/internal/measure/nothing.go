package measure

// nothing is a load without a table: calls that do nothing. What it waits for all
// the same is the machine's doing, and stands in every other latency too.
type nothing struct{ turn turn }

func (n *nothing) prepare() turn { return n.turn }

func (*nothing) perform() error { return nil }

func (n *nothing) conclude(error) error {
	n.turn = (n.turn + 1) % turns
	return nil
}
