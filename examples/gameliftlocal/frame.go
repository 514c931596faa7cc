package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/usher-go/usher/session"
)

// maxFrame bounds a frame from a server process, in bytes: API Gateway's limit for
// a WebSocket message, which stands before the service.
const maxFrame = 128 << 10

// request is a frame from a server process: the fields of all actions, of which
// each has its own. What is unknown is ignored, since SDKs differ.
type request struct {
	Action    string
	RequestID string `json:"RequestId"`

	GameSessionID             string `json:"GameSessionId"`
	PlayerSessionID           string `json:"PlayerSessionId"`
	PlayerID                  string `json:"PlayerId"`
	PlayerSessionStatusFilter string
	NextToken                 string
	Limit                     int
	PlayerSessionPolicy       string

	SdkVersion, SdkLanguage, SdkToolName string
	Port                                 int
	HealthStatus                         bool

	GameSessionArn              string
	MatchmakingConfigurationArn string
	TicketID                    string `json:"TicketId"`
	Players                     []struct{}
}

// decode reads a frame. The request it returns with an error carries whatever is
// needed to answer it.
func decode(frame []byte) (request, error) {
	var q request
	if !utf8.Valid(frame) { // encoding/json would mend it, and an id with it
		return q, badRequest("the frame is not valid UTF-8")
	}
	if err := json.Unmarshal(frame, &q); err != nil {
		return address(frame), badRequest("the frame is not the JSON of a request: " + err.Error())
	}
	if q.Action == "" {
		return q, badRequest("Action is required")
	}
	if q.RequestID == "" {
		return q, badRequest("RequestId is required")
	}
	return q, nil
}

// address is what a frame whose fields cannot be read says about where the answer
// belongs, if it says it.
func address(frame []byte) request {
	var a struct {
		Action    string
		RequestID string `json:"RequestId"`
	}
	if json.Unmarshal(frame, &a) != nil {
		return request{}
	}
	return request{Action: a.Action, RequestID: a.RequestID}
}

// answer is the reply to a request. A field stands in it if its action has it.
type answer struct {
	Action       string
	RequestID    string `json:"RequestId,omitempty"`
	StatusCode   int
	ErrorMessage string `json:",omitempty"`

	TicketID       string          `json:"TicketId,omitempty"`
	PlayerSessions []playerSession `json:",omitzero"`
	NextToken      string          `json:",omitempty"`
}

// playerSession is a player session as the server SDKs read it. They read times
// into whole numbers, and call them milliseconds.
type playerSession struct {
	PlayerID        string `json:"PlayerId"`
	PlayerSessionID string `json:"PlayerSessionId"`
	GameSessionID   string `json:"GameSessionId"`
	FleetID         string `json:"FleetId"`
	PlayerData      string `json:",omitempty"`
	IPAddress       string `json:"IpAddress,omitempty"`
	Port            int    `json:",omitempty"`
	DNSName         string `json:"DnsName,omitempty"`
	CreationTime    int64
	TerminationTime int64 `json:",omitempty"`
	Status          session.Status
}

func present(ps session.PlayerSession) playerSession {
	p := playerSession{
		PlayerID:        ps.PlayerID,
		PlayerSessionID: ps.PlayerSessionID,
		GameSessionID:   ps.GameSessionID,
		FleetID:         ps.FleetID,
		PlayerData:      ps.PlayerData,
		IPAddress:       ps.IPAddress,
		Port:            ps.Port,
		DNSName:         ps.DNSName,
		CreationTime:    ps.CreationTime.UnixMilli(),
		Status:          ps.Status,
	}
	if !ps.TerminationTime.IsZero() {
		p.TerminationTime = ps.TerminationTime.UnixMilli()
	}
	return p
}

// complete makes a the answer to q: that of a request which failed if err is one.
func (a answer) complete(q request, err error) answer {
	a.StatusCode = http.StatusOK
	if err != nil {
		a = answer{StatusCode: http.StatusInternalServerError, ErrorMessage: err.Error()}
	}
	if r := (*refusal)(nil); errors.As(err, &r) {
		a.StatusCode = r.status
	}
	a.Action, a.RequestID = q.Action, q.RequestID
	return a
}

// encode never fails: the types are this package's own.
func encode(frame any) []byte {
	text, err := json.Marshal(frame)
	if err != nil {
		panic("gameliftlocal: " + err.Error())
	}
	return text
}
