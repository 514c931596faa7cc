package main

import (
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// describePlayerSessions answers with players of the process's own game session,
// whichever of the three ids is asked for.
func (f *fleet) describePlayerSessions(l *link, q request) (answer, error) {
	own, err := f.hosted(l)
	if err != nil {
		return answer{}, err
	}
	query, err := q.query(own)
	if err != nil {
		return answer{}, err
	}
	page, err := f.describeOwn(query, own)
	if err != nil {
		return answer{}, refuseAny(err)
	}
	a := answer{PlayerSessions: make([]playerSession, 0, len(page.PlayerSessions)), NextToken: page.NextToken}
	for _, ps := range page.PlayerSessions {
		a.PlayerSessions = append(a.PlayerSessions, present(ps))
	}
	return a, nil
}

// hosted is the game session that the process over l hosts.
func (f *fleet) hosted(l *link) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.speaker(l)
	if err != nil {
		return "", err
	}
	if p.game == nil {
		return "", badRequest("this server process hosts no game session")
	}
	return p.game.GameSessionID, nil
}

func (q request) query(own string) (slot.Query, error) {
	if q.GameSessionID != "" && q.GameSessionID != own {
		return slot.Query{}, notFound("this server process does not host that game session")
	}
	query := slot.Query{
		PlayerSessionID: q.PlayerSessionID,
		PlayerID:        q.PlayerID,
		GameSessionID:   q.GameSessionID,
		Limit:           q.Limit,
		NextToken:       q.NextToken,
	}
	if q.PlayerSessionStatusFilter == "" {
		return query, nil
	}
	var err error
	if query.Status, err = session.ParseStatus(q.PlayerSessionStatusFilter); err != nil {
		return query, badRequest("PlayerSessionStatusFilter must be RESERVED, ACTIVE, COMPLETED or TIMEDOUT")
	}
	return query, nil
}

// describeOwn leaves out other game sessions' players. It does not return an empty
// page that is not the last.
func (f *fleet) describeOwn(q slot.Query, own string) (slot.Page, error) {
	for {
		page, err := f.table.Describe(q)
		if err != nil {
			return page, err
		}
		var kept []session.PlayerSession
		for _, ps := range page.PlayerSessions {
			if ps.GameSessionID == own {
				kept = append(kept, ps)
			}
		}
		page.PlayerSessions = kept
		if q.PlayerSessionID != "" && len(kept) == 0 {
			return page, session.ErrPlayerSessionNotFound
		}
		if len(kept) > 0 || page.NextToken == "" {
			return page, nil
		}
		q.NextToken = page.NextToken
	}
}
