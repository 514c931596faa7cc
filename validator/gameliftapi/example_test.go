package gameliftapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// A game server serves the API over its own table, and a backend written in Go
// reserves seats with Amazon's SDK.
func Example() {
	// The game server.
	table, err := slot.NewTable(slot.Config{})
	if err != nil {
		panic(err)
	}
	defer table.Close()
	err = table.CreateGameSession(session.GameSession{GameSessionID: "match-1", MaximumPlayerSessionCount: 1})
	if err != nil {
		panic(err)
	}
	keys := func(id string) (secret string, ok bool) { return "s3cret", id == "backend" }
	server := httptest.NewServer(gameliftapi.New(table, gameliftapi.Config{Credentials: keys}))
	defer server.Close()

	// The backend.
	client := gamelift.New(gamelift.Options{
		BaseEndpoint: aws.String(server.URL),
		Region:       "local",
		Credentials:  staticKey{"backend", "s3cret"},
	})
	for _, player := range []string{"ann", "bob"} {
		out, err := client.CreatePlayerSession(context.Background(), &gamelift.CreatePlayerSessionInput{
			GameSessionId: aws.String("match-1"),
			PlayerId:      aws.String(player),
		})
		var full *types.GameSessionFullException
		switch {
		case errors.As(err, &full):
			fmt.Println(player, "finds no seat")
		case err != nil:
			panic(err)
		default:
			fmt.Println(player, "has a seat:", out.PlayerSession.Status)
		}
	}
	// Output:
	// ann has a seat: RESERVED
	// bob finds no seat
}

// Without an SDK: a token, and JSON.
func ExampleConfig_bearerToken() {
	table, err := slot.NewTable(slot.Config{})
	if err != nil {
		panic(err)
	}
	defer table.Close()
	server := httptest.NewServer(gameliftapi.New(table, gameliftapi.Config{BearerToken: "open sesame"}))
	defer server.Close()

	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL, strings.NewReader(`{"PlayerId":"ann"}`))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer open sesame")
	r.Header.Set("X-Amz-Target", "GameLift.DescribePlayerSessions")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 200 OK
}
