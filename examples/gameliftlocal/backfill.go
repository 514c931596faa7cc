package main

import (
	"net/http"

	"github.com/google/uuid"
)

// Match backfill is accepted or refused, never done: there is no matchmaker. A
// game session has one ticket at a time, and a new one replaces it.

func (f *fleet) startMatchBackfill(l *link, q request) (answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.backfilling(l, q)
	if err != nil {
		return answer{}, err
	}
	if len(q.Players) == 0 {
		return answer{}, badRequest("Players is required")
	}
	p.ticket = q.TicketID
	if p.ticket == "" {
		p.ticket = uuid.NewString()
	}
	f.line(p).Str("ticket_id", p.ticket).Int("players", len(q.Players)).Msg("match backfill accepted: nobody will come of it")
	return answer{TicketID: p.ticket}, nil
}

func (f *fleet) stopMatchBackfill(l *link, q request) (answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.backfilling(l, q)
	if err != nil {
		return answer{}, err
	}
	if q.TicketID == "" || q.TicketID != p.ticket {
		return answer{}, notFound("no match backfill is under way with this TicketId")
	}
	gs := *p.game // with the table's part as it was when the service API last changed it
	if gs.GameSession, err = f.table.GameSession(gs.GameSessionID); err != nil {
		return answer{}, refuseAny(err)
	}
	p.ticket = ""
	p.push(newUpdateGameSession(gs, reasonBackfillCancelled, q.TicketID))
	f.line(p).Str("ticket_id", q.TicketID).Msg("match backfill stopped")
	return answer{}, nil
}

// backfilling is the process that asks, if it may. f.mu is held.
func (f *fleet) backfilling(l *link, q request) (*serverProcess, error) {
	p, err := f.host(l, q.GameSessionArn)
	if err == nil && !f.backfill {
		err = &refusal{status: http.StatusForbidden, message: "gameliftlocal has no matchmaker: start it with -backfill=accept to have backfill requests accepted"}
	}
	return p, err
}
