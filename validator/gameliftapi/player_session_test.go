package gameliftapi_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func TestCreatePlayerSession(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	newMatch(t, table, 2)
	client := newClient(serve(t, table, everything()))

	out, err := client.CreatePlayerSession(t.Context(), &gamelift.CreatePlayerSessionInput{
		GameSessionId: aws.String(match),
		PlayerId:      aws.String("ann"),
		PlayerData:    aws.String(`{"team":"rød"}`),
	})
	require.NoError(t, err)
	held, err := table.Lookup(*out.PlayerSession.PlayerSessionId)
	require.NoError(t, err)
	require.Equal(t, session.StatusReserved, held.Status)
	require.True(t, held.CreationTime.Equal(*out.PlayerSession.CreationTime))
	require.Equal(t, &types.PlayerSession{
		CreationTime:    out.PlayerSession.CreationTime, // in another time zone
		DnsName:         aws.String("seven.example.com"),
		GameSessionId:   aws.String(match),
		IpAddress:       aws.String("10.0.0.7"),
		PlayerData:      aws.String(`{"team":"rød"}`),
		PlayerId:        aws.String("ann"),
		PlayerSessionId: &held.PlayerSessionID,
		Port:            aws.Int32(7777),
		Status:          types.PlayerSessionStatusReserved,
	}, out.PlayerSession)
}
