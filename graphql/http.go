package graphql

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// GraphQL over HTTP, as the specification of that name has it: POST with JSON, GET for queries only, and two types of
// answers. application/graphql-response+json has a status that says whether the operation ran; application/json is always
// 200 for a request that was well-formed. A request that a page of another site can make without asking first (a form, a
// text) is never taken for an operation.

const (
	typeResponse = "application/graphql-response+json"
	typeJSON     = "application/json"
	withCharset  = "; charset=utf-8"
)

// server answers the routes of one Mount.
type server struct {
	schema  *Schema
	options Options
	path    string
	socket  ishaa.Handler
	streams *reservations

	once   sync.Once
	engine *engine
}

// of returns the engine, made with the first request: whether the application is in debug mode is known then.
func (s *server) of(r *ishaa.Request) *engine {
	s.once.Do(func() {
		s.engine, _ = newEngine(s.schema, s.options, r.App().Config().Debug, r.App().Logger())
	})
	return s.engine
}

// malformed is a request that is none of GraphQL's.
type malformed struct {
	status  int
	message string
}

func (m *malformed) answer(contentType string) *ishaa.Response {
	if contentType == "" {
		contentType = typeJSON
	}
	res := ishaa.Bytes(contentType+withCharset, refused(Errorf(CodeBadRequest, "%s", m.message)).bytes()).WithStatus(m.status)
	if m.status == http.StatusMethodNotAllowed {
		res.WithHeader("Allow", "POST")
	}
	return res
}

func bad(message string) *malformed { return &malformed{http.StatusBadRequest, message} }

func (s *server) post(r *ishaa.Request) (any, error) {
	contentType := answerType(r)
	if contentType == "" {
		return notAcceptable(), nil
	}
	in, wrong, err := s.posted(r)
	if err != nil {
		return nil, err
	}
	if wrong != nil {
		return wrong.answer(contentType), nil
	}
	return s.answer(r, in, contentType, true), nil
}

func (s *server) get(r *ishaa.Request) (any, error) {
	if strings.EqualFold(r.Header("Upgrade"), "websocket") {
		return s.socket(r)
	}
	if s.options.GraphiQL && r.Query("query") == "" && r.Accepts(typeJSON, typeResponse, "text/html") == "text/html" {
		return s.editor(r)
	}
	contentType := answerType(r)
	if contentType == "" {
		return notAcceptable(), nil
	}
	in, wrong := queried(r)
	if wrong != nil {
		return wrong.answer(contentType), nil
	}
	return s.answer(r, in, contentType, false), nil
}

func notAcceptable() *ishaa.Response {
	return (&malformed{http.StatusNotAcceptable, "Answers are " + typeResponse + " or " + typeJSON + "."}).answer("")
}

func answerType(r *ishaa.Request) string { return r.Accepts(typeJSON, typeResponse) }

// answer runs a query, or a mutation if that is allowed.
func (s *server) answer(r *ishaa.Request, in Operation, contentType string, mutations bool) *ishaa.Response {
	e := s.of(r)
	run, refusal := e.accept(in)
	switch {
	case refusal != nil:
	case run.op.root == rootMutation && !mutations:
		return (&malformed{http.StatusMethodNotAllowed, "A mutation is sent by POST."}).answer(contentType)
	case run.op.root == rootSubscription:
		refusal = refused(Errorf(CodeBadRequest, "A subscription needs a WebSocket, or server-sent events at %s/stream.", s.path))
	default:
		return ishaa.Bytes(contentType+withCharset, e.run(r.Context(), run.op, run.vars).bytes()).WithHeader("Vary", "Accept")
	}
	res := ishaa.Bytes(contentType+withCharset, refusal.bytes()).WithHeader("Vary", "Accept")
	if contentType == typeResponse || refusal.Errors[0].Code() == CodeBadRequest {
		res.WithStatus(http.StatusBadRequest)
	}
	return res
}

// posted reads a request's body.
func (s *server) posted(r *ishaa.Request) (in Operation, wrong *malformed, err error) {
	media, params, parseErr := mime.ParseMediaType(r.Header("Content-Type"))
	charset := strings.ToLower(params["charset"])
	switch {
	case parseErr == nil && media == "multipart/form-data" && s.schema.uploads:
		return s.multipart(r)
	case parseErr != nil || media != typeJSON:
		return in, &malformed{http.StatusUnsupportedMediaType, "The body is sent as application/json."}, nil
	case charset != "" && charset != "utf-8" && charset != "utf8":
		return in, &malformed{http.StatusUnsupportedMediaType, "The body is sent in UTF-8."}, nil
	}
	body, err := r.Bytes()
	if err != nil {
		return in, nil, err
	}
	in, wrong = read(body)
	return in, wrong, nil
}

// deepestJSON is how deep variables may nest.
const deepestJSON = 64

// read makes an operation of JSON.
func read(body []byte) (in Operation, wrong *malformed) {
	if err := strictjson.Check(body, deepestJSON); err != nil {
		return in, bad("The body is no JSON: " + err.Error() + ".")
	}
	var raw struct {
		Query         json.RawMessage `json:"query"`
		OperationName json.RawMessage `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
		Extensions    json.RawMessage `json:"extensions"`
		DocumentID    json.RawMessage `json:"documentId"`
	}
	if trimmed := strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n"); strings.HasPrefix(trimmed, "[") {
		return in, bad("One request holds one operation: batches are not taken.")
	}
	if json.Unmarshal(body, &raw) != nil {
		return in, bad("The body is a JSON object with query, operationName, variables and extensions.")
	}
	for _, part := range []struct {
		name string
		text json.RawMessage
		into *string
	}{{"query", raw.Query, &in.Query}, {"operationName", raw.OperationName, &in.Name}, {"documentId", raw.DocumentID, &in.hash}} {
		if part.text != nil && json.Unmarshal(part.text, part.into) != nil {
			return in, bad(part.name + " is a text.")
		}
	}
	return in, in.rest(raw.Variables, raw.Extensions)
}

// rest reads variables and extensions, which are objects or null.
func (in *Operation) rest(variables, extensions []byte) *malformed {
	var err error
	if len(variables) > 0 {
		if in.Variables, err = objectOf(variables); err != nil {
			return bad("variables is an object.")
		}
	}
	if len(extensions) > 0 {
		given, err := objectOf(extensions)
		if err != nil {
			return bad("extensions is an object.")
		}
		if persisted, ok := given["persistedQuery"].(map[string]any); ok {
			if in.hash, ok = persisted["sha256Hash"].(string); !ok || persisted["version"] != json.Number("1") {
				return bad("extensions.persistedQuery has version 1 and sha256Hash.")
			}
			in.keep = true
		}
	}
	if in.Query == "" && in.hash == "" {
		return bad("The request has no query.")
	}
	return nil
}

// queried reads an operation of a URL.
func queried(r *ishaa.Request) (in Operation, wrong *malformed) {
	values := r.QueryValues()
	in = Operation{Query: values.Get("query"), Name: values.Get("operationName"), hash: values.Get("documentId")}
	variables, extensions := []byte(values.Get("variables")), []byte(values.Get("extensions"))
	for name, text := range map[string][]byte{"variables": variables, "extensions": extensions} {
		if len(text) > 0 && strictjson.Check(text, deepestJSON) != nil {
			return in, bad(name + " is a JSON object.")
		}
	}
	return in, in.rest(variables, extensions)
}
