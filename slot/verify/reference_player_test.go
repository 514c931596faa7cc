package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// ReserveAll is told which ids the table made up for those who named none.
func (r *reference) ReserveAll(party []slot.Reservation, made []session.PlayerSession) ([]session.PlayerSession, error) {
	if r.closed {
		return nil, session.ErrClosed
	}
	r.settle()
	out, err := r.reserveAll(party, made)
	r.forgetSurplus()
	if err != nil {
		r.stats.Refused[session.Reason(err)]++
	}
	return out, err
}

func (r *reference) reserveAll(party []slot.Reservation, made []session.PlayerSession) ([]session.PlayerSession, error) {
	if len(party) == 0 {
		return nil, session.ErrInvalidField
	}
	refuse := func(i int, err error) error { return &slot.PartyError{Index: i, PlayerID: party[i].PlayerID, Err: err} }
	for i, m := range party {
		if m.GameSessionID == "" || m.GameSessionID != party[0].GameSessionID || m.PlayerID == "" || m.Timeout < 0 {
			return nil, refuse(i, session.ErrInvalidField)
		}
		if m.PlayerSessionID != "" && session.ValidatePlayerSessionID(m.PlayerSessionID) != nil {
			return nil, refuse(i, session.ErrInvalidPlayerSessionID)
		}
	}
	g := r.game(party[0].GameSessionID)
	if g == nil {
		return nil, session.ErrGameSessionNotFound
	}
	if g.Status != session.GameSessionActive {
		return nil, session.ErrGameSessionNotActive
	}
	policy, out := r.config.DuplicatePlayers, make([]session.PlayerSession, len(party))
	held := make([]*refPlayer, len(party)) // what a member holds already
	repeats := make([]bool, len(party))    // and whether it answers
	twice := make([]bool, len(party))      // or the member is named before
	for i, m := range party {
		if policy == slot.DuplicatesAllow {
			continue
		}
		twice[i] = slices.ContainsFunc(party[:i], func(o slot.Reservation) bool { return o.PlayerID == m.PlayerID })
		h := r.liveOf(g, m.PlayerID)
		held[i] = h
		if h != nil && policy == slot.DuplicatesReturn && !twice[i] && (m.PlayerSessionID == "" || m.PlayerSessionID == h.id) &&
			(h.dropped || h.status == session.StatusReserved && h.data == m.PlayerData) {
			repeats[i], out[i] = true, r.present(h)
		}
	}
	if !slices.Contains(repeats, false) {
		return out, nil
	}
	if r.draining {
		return nil, session.ErrDraining
	}
	if g.PlayerSessionCreationPolicy == session.DenyAll {
		return nil, session.ErrCreationDenied
	}
	for i, m := range party {
		before := slices.ContainsFunc(party[:i], func(o slot.Reservation) bool { return o.PlayerSessionID == m.PlayerSessionID })
		if m.PlayerSessionID != "" && !repeats[i] && (before || r.player(m.PlayerSessionID) != nil) {
			return nil, refuse(i, session.ErrPlayerSessionExists)
		}
	}
	wanted := 0
	for i := range party {
		if twice[i] || held[i] != nil && !repeats[i] && policy != slot.DuplicatesReplace {
			return nil, refuse(i, session.ErrDuplicatePlayer)
		}
		if held[i] == nil {
			wanted++
		}
	}
	seats := r.seats(g)
	if wanted > 0 && len(seats)+wanted > g.MaximumPlayerSessionCount {
		return nil, session.ErrGameSessionFull
	}
	now := time.Now()
	for i, m := range party {
		if repeats[i] {
			continue
		}
		r.reserved++
		p := &refPlayer{
			seq: r.reserved, game: g, id: m.PlayerSessionID, player: m.PlayerID, data: m.PlayerData, status: session.StatusReserved,
			made: now, deadline: r.after(now, cmp.Or(m.Timeout, r.config.ReservationTimeout)),
		}
		if p.id == "" && i < len(made) {
			p.id = made[i].PlayerSessionID
		}
		if held[i] != nil {
			p.seat = held[i].seat
			r.end(held[i], session.CauseReplaced, now, now, now)
		} else {
			for seats[p.seat] {
				p.seat++
			}
			seats[p.seat] = true
		}
		r.players = append(r.players, p)
		r.stats.ReservedTotal++
		r.event(session.CauseReserved, 0, now, p)
		out[i] = r.present(p)
	}
	return out, nil
}

func (r *reference) liveOf(g *refGame, playerID string) *refPlayer {
	return first(r.players, func(p *refPlayer) bool { return p.game == g && p.player == playerID && p.live() })
}

func (r *reference) find(id string) (*refPlayer, error) {
	switch p := r.player(id); {
	case r.closed:
		return nil, session.ErrClosed
	case session.ValidatePlayerSessionID(id) != nil:
		return nil, session.ErrInvalidPlayerSessionID
	case p == nil:
		return nil, session.ErrPlayerSessionNotFound
	default:
		return p, nil
	}
}

// Admit is Activate, and TakeOver.
func (r *reference) Admit(id string, takeOver bool) (session.PlayerSession, error) {
	p, err := r.find(id)
	if err == nil {
		have := r.present(p).Status
		if have.Terminal() || have == session.StatusActive && !p.dropped && !takeOver {
			err = &session.StatusError{Have: have, Want: session.StatusReserved}
		}
	}
	if err != nil {
		if !r.closed {
			r.stats.Refused[session.Reason(err)]++
		}
		return session.PlayerSession{}, err
	}
	from, cause := p.status, session.CauseAccepted
	if from == session.StatusActive {
		cause = session.CauseReturned
		r.stats.ReturnedTotal++
	} else {
		r.stats.AcceptedTotal++
	}
	p.status, p.deadline, p.dropped = session.StatusActive, time.Time{}, false
	p.generation++
	r.event(cause, from, time.Now(), p)
	return r.present(p), nil
}

func (r *reference) Disconnect(id string, generation uint32) error {
	p, err := r.find(id)
	if err != nil {
		return err
	}
	r.horizon = time.Now()
	connected := p.status == session.StatusActive && !p.dropped && p.generation == generation
	switch {
	case r.due(p) || connected && r.config.ReconnectWindow == 0:
		r.endNow(p, session.CauseWindowOver)
	case connected:
		p.dropped, p.deadline = true, r.after(r.horizon, r.config.ReconnectWindow)
		r.event(session.CauseDropped, session.StatusActive, r.horizon, p)
	}
	return nil
}

func (r *reference) Release(id string) (session.PlayerSession, error) {
	p, err := r.find(id)
	if err != nil {
		return session.PlayerSession{}, err
	}
	r.endNow(p, session.CauseReleased)
	return r.present(p), nil
}

func (r *reference) Extend(id string, d time.Duration) (time.Time, error) {
	if d < 0 && !r.closed {
		return time.Time{}, session.ErrInvalidField
	}
	p, err := r.find(id)
	if err != nil {
		return time.Time{}, err
	}
	r.horizon = time.Now()
	if have := r.present(p).Status; have != session.StatusReserved {
		return time.Time{}, &session.StatusError{Have: have, Want: session.StatusReserved}
	}
	to := r.after(r.horizon, cmp.Or(d, r.config.ReservationTimeout))
	if limit := r.after(ms(p.made), r.config.MaxReservation); to.After(limit) {
		to = limit
	}
	if to.After(p.deadline) {
		p.deadline = to
	}
	return ms(p.deadline), nil
}

func (r *reference) Deadline(id string) (time.Time, error) {
	p, err := r.find(id)
	if err != nil {
		return time.Time{}, err
	}
	if have := r.present(p).Status; have.Terminal() {
		return time.Time{}, &session.StatusError{Have: have, Want: session.StatusReserved}
	}
	return ms(p.deadline), nil
}

func (r *reference) Lookup(id string) (session.PlayerSession, error) {
	p, err := r.find(id)
	if err != nil {
		return session.PlayerSession{}, err
	}
	return r.present(p), nil
}

func (r *reference) Live(gameSessionID, playerID string) (session.PlayerSession, error) {
	g, err := r.findGame(gameSessionID)
	if err != nil {
		return session.PlayerSession{}, err
	}
	if p := r.liveOf(g, playerID); p != nil {
		return r.present(p), nil
	}
	return session.PlayerSession{}, session.ErrPlayerSessionNotFound
}

// Describe returns the page behind the reservation of number last, the number to
// go on behind, and whether there is more.
func (r *reference) Describe(q slot.Query, last int) (page []session.PlayerSession, next int, more bool, err error) {
	given := slices.DeleteFunc([]string{q.PlayerSessionID, q.PlayerID, q.GameSessionID}, func(id string) bool { return id == "" })
	switch {
	case r.closed:
		return nil, 0, false, session.ErrClosed
	case len(given) != 1, q.Limit < 0, q.Status > session.StatusTimedOut:
		return nil, 0, false, session.ErrInvalidField
	case q.PlayerSessionID != "":
		ps, err := r.Lookup(q.PlayerSessionID)
		if err != nil {
			return nil, 0, false, err
		}
		return []session.PlayerSession{ps}, 0, false, nil
	case q.GameSessionID != "" && r.game(q.GameSessionID) == nil:
		return nil, 0, false, session.ErrGameSessionNotFound
	}
	r.settle()
	for _, p := range r.players {
		byGame := p.game.GameSessionID == q.GameSessionID && (q.Status == 0 || p.status == q.Status)
		switch {
		case p.seq <= last || p.player != q.PlayerID && !byGame:
		case len(page) == cmp.Or(q.Limit, 100):
			return page, next, true, nil
		default:
			page, next = append(page, r.present(p)), p.seq
		}
	}
	return page, next, false, nil
}
