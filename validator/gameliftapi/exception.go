package gameliftapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/usher-go/usher/session"
)

// exception is an error as the wire has it. SDKs make their own types from the
// names, which are GameLift's, but for unknownOperation: it is what AWS services
// answer to an operation that they do not have.
type exception struct{ name, message string }

const (
	conflict                    = "ConflictException"
	fleetCapacityExceeded       = "FleetCapacityExceededException"
	gameSessionFull             = "GameSessionFullException"
	idempotentParameterMismatch = "IdempotentParameterMismatchException"
	internalService             = "InternalServiceException"
	invalidGameSessionStatus    = "InvalidGameSessionStatusException"
	invalidRequest              = "InvalidRequestException"
	notFound                    = "NotFoundException"
	unauthorized                = "UnauthorizedException"
	unknownOperation            = "UnknownOperationException"
)

func (e *exception) Error() string { return "gameliftapi: " + e.name + ": " + e.message }

func (e *exception) status() int {
	if e.name == internalService {
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// meanings are GameLift's exceptions for the errors of the table. What is not here
// is an InternalServiceException, which SDKs try again.
var meanings = []struct {
	err  error
	name string
}{
	{session.ErrGameSessionFull, gameSessionFull},
	{session.ErrGameSessionNotActive, invalidGameSessionStatus},
	{session.ErrCreationDenied, invalidGameSessionStatus},
	{session.ErrDraining, invalidGameSessionStatus},
	{session.ErrGameSessionNotFound, notFound},
	{session.ErrPlayerSessionNotFound, notFound},
	{session.ErrInvalidPlayerSessionID, invalidRequest},
	{session.ErrInvalidField, invalidRequest},
	{session.ErrDuplicatePlayer, invalidRequest}, // CreatePlayerSession knows no ConflictException
	{session.ErrGameSessionExists, conflict},
	{ErrNoProcess, fleetCapacityExceeded},
	{session.ErrOverloaded, internalService},
	{session.ErrClosed, internalService},
}

// exceptionOf translates err. A stranger's text stays here: it may tell too much.
func exceptionOf(err error) *exception {
	var e *exception
	if errors.As(err, &e) {
		return e
	}
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return &exception{m.name, withoutPackage(err.Error())}
		}
	}
	return &exception{internalService, "something went wrong here; the server's log says what"}
}

// withoutPackage cuts off what is for readers of Go.
func withoutPackage(message string) string {
	for _, prefix := range []string{"session: ", "slot: ", "gameliftapi: "} {
		message = strings.TrimPrefix(message, prefix)
	}
	return message
}
