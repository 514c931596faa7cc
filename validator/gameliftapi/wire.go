package gameliftapi

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// wire is how the body of a request is read and an answer written.
type wire struct {
	contentType string
	protocol    string // in the header Smithy-Protocol; "": none
	decode      func(body []byte, input any) error
	encode      func(output any) ([]byte, error)
}

const (
	protocolHeader = "Smithy-Protocol"
	targetHeader   = "X-Amz-Target"
)

var (
	rpcCBOR = &wire{"application/cbor", "rpc-v2-cbor", decodeCBOR, encodeCBOR}
	awsJSON = &wire{"application/x-amz-json-1.1", "", decodeJSON, encodeJSON}
)

// recognize tells on which wire a request came and which operation it names. Of
// one that is on none the answer is in JSON, which people can read.
func recognize(r *http.Request) (w *wire, operation string, err error) {
	protocol, target := r.Header.Get(protocolHeader), r.Header.Get(targetHeader)
	named := false
	switch {
	case protocol == rpcCBOR.protocol && target == "":
		w = rpcCBOR
		operation, named = strings.CutPrefix(r.URL.Path, "/service/GameLift/operation/")
	case protocol == "" && target != "" && r.URL.Path == "/":
		w = awsJSON
		operation, named = strings.CutPrefix(target, "GameLift.")
	default:
		w = awsJSON
	}
	if !named {
		return w, "", &exception{unknownOperation, "not a request of GameLift's: POST to /service/GameLift/operation/<operation> with Smithy-Protocol: rpc-v2-cbor, or to / with X-Amz-Target: GameLift.<operation>"}
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != w.contentType {
		return w, operation, &exception{invalidRequest, "the Content-Type must be " + w.contentType}
	}
	return w, operation, nil
}

// unreadable names the member that is at fault, if it is one.
func unreadable(err error) *exception {
	var inJSON *json.UnmarshalTypeError
	var inCBOR *cbor.UnmarshalTypeError
	member := ""
	switch {
	case errors.As(err, &inJSON):
		member = inJSON.Field
	case errors.As(err, &inCBOR):
		member = inCBOR.StructFieldName[strings.LastIndex(inCBOR.StructFieldName, ".")+1:]
	}
	switch {
	case member != "":
		return &exception{invalidRequest, member + " is not of its type, or too great a number"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &exception{invalidRequest, "the body ends too early"}
	}
	return &exception{invalidRequest, "the body cannot be read: " + err.Error()}
}

// write answers a request.
func (w *wire) write(to http.ResponseWriter, status int, body []byte) {
	h := to.Header()
	h.Set("Content-Type", w.contentType)
	if w.protocol != "" {
		h.Set(protocolHeader, w.protocol)
	}
	to.WriteHeader(status)
	_, _ = to.Write(body) // to a client that has gone
}

// failure is an exception's body. Some SDKs read one spelling of the message, some
// the other.
type failure struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
	MESSAGE string `json:"Message"`
}
