package main

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// usherPeer is this library. What is measured is its validator's accept; see door.
type usherPeer struct {
	*validator.Validator

	table *slot.Table
	setup Setup
}

// plain does no more than the peers do.
func plain(*slot.Config) {}

// openUsher returns what opens a table whose configuration has been changed.
func openUsher(change func(*slot.Config)) func(Setup) (Contender, error) {
	return func(s Setup) (Contender, error) {
		c := slot.Config{ReservationTimeout: s.Timeout, DuplicatePlayers: slot.DuplicatesAllow}
		change(&c)
		table, err := slot.NewTable(c)
		if err != nil {
			return nil, err
		}
		for _, g := range s.Games {
			if err := table.CreateGameSession(g); err != nil {
				return nil, errors.Join(err, table.Close())
			}
		}
		return &usherPeer{validator.New(table, validator.Config{}), table, s}, nil
	}
}

func (p *usherPeer) Reserve(r Request) (session.PlayerSession, error) {
	return p.table.Reserve(slot.Reservation{
		GameSessionID:   p.setup.Games[r.Game].GameSessionID,
		PlayerID:        r.PlayerID,
		PlayerData:      r.PlayerData,
		PlayerSessionID: r.ID,
		Timeout:         r.Timeout,
	})
}

func (p *usherPeer) Release(id string) error { return p.RemovePlayerSession(id) }

// askForPlayer lets players' lists be made, which are kept from then on.
func (p *usherPeer) askForPlayer() error {
	_, err := p.table.Describe(slot.Query{PlayerID: "anybody"})
	return err
}

// AwaitEmpty does not ask how many seats are held: to answer exactly, the table
// would reclaim what is due on this goroutine.
func (p *usherPeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.table.DrainGameSession(ctx, p.setup.Games[game].GameSessionID)
}

func (p *usherPeer) Close() error { return p.table.Close() }

// variant is usher with an option that costs.
type variant struct {
	Entrant
	aliased    bool // ids are somebody else's
	subscribed bool
	asked      bool // somebody has asked for a player's sessions
}

// variants are usher as it is compared with the peers, and with one option more.
func variants() []variant {
	return []variant{
		{Entrant: Entrant{Name: "plain", Open: openUsher(plain)}},
		{Entrant: Entrant{Name: "default duplicate policy", Open: openUsher(func(c *slot.Config) {
			c.DuplicatePlayers = slot.DuplicatesReturn
		})}},
		{Entrant: Entrant{Name: "MaxRetained 1", Open: openUsher(func(c *slot.Config) {
			c.MaxRetained = 1 // the peers retain nobody
		})}},
		{Entrant: Entrant{Name: "ReconnectWindow", Open: openUsher(func(c *slot.Config) {
			c.ReconnectWindow = time.Minute
		})}},
		{Entrant: Entrant{Name: "a subscriber", Open: openUsher(plain)}, subscribed: true},
		{Entrant: Entrant{Name: "players' lists", Open: openUsher(plain)}, asked: true},
		{Entrant: Entrant{Name: "alias ids", Open: openUsher(plain)}, aliased: true},
	}
}
