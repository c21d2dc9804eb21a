package graphql

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/vektah/gqlparser/v2/validator/core"
)

// engine is a schema with the Options of one Mount.
type engine struct {
	schema        *Schema
	options       Options
	limits        limits
	rules         []core.Rule
	introspection bool
	logger        *slog.Logger
	texts         *documents           // by text
	hashes        *documents           // by SHA-256: automatic persisted queries; nil without
	allowed       map[string]*document // by SHA-256: the allow-list; nil without
}

func newEngine(s *Schema, o Options, debug bool, logger *slog.Logger) (*engine, error) {
	if err := s.Build(); err != nil {
		return nil, err
	}
	e := &engine{
		schema: s, options: o, limits: o.limits(), introspection: o.Introspection || debug, logger: logger, texts: newDocuments(1000),
	}
	e.rules = s.rulesOf(e.introspection)
	if o.PersistedQueries >= 0 {
		e.hashes = newDocuments(max(o.PersistedQueries, 0))
		if o.PersistedQueries == 0 {
			e.hashes.most = 1000
		}
	}
	if o.Allowed != nil {
		e.allowed = make(map[string]*document, len(o.Allowed))
		for i, text := range o.Allowed {
			doc, errs := e.parse(text)
			if len(errs) > 0 {
				return nil, fmt.Errorf("graphql: document %d of Options.Allowed: %s", i, errs[0].Message)
			}
			e.allowed[hashOf(text)] = doc
		}
	}
	return e, nil
}

// Operation is what a client asks for.
type Operation struct {
	Query     string         // the document
	Name      string         // which of its operations; "" if there is one
	Variables map[string]any // as JSON has them
	hash      string         // in place of the document, or beside it
	keep      bool           // automatic persisted queries: remember the document by the hash
}

// Execute runs a query or a mutation in the program itself, with the limits that Options has by default and introspection.
// It is for tests and for tools; clients come through Mount.
func (s *Schema) Execute(ctx context.Context, op Operation) *Response {
	if err := s.Build(); err != nil {
		return refused(Errorf(CodeInternal, "%s", err))
	}
	s.defaultsOnce.Do(func() { s.defaults, _ = newEngine(s, Options{Introspection: true}, false, slog.Default()) })
	if op.Variables != nil {
		text, err := json.Marshal(op.Variables)
		if err == nil {
			op.Variables, err = objectOf(text)
		}
		if err != nil {
			return refused(Errorf(CodeBadRequest, "the variables are no JSON: %s", err))
		}
	}
	run, refusal := s.defaults.accept(op)
	if refusal != nil {
		return refusal
	}
	if run.op.root == rootSubscription {
		return refused(Errorf(CodeBadRequest, "Execute takes queries and mutations; a subscription needs a connection."))
	}
	return s.defaults.run(ctx, run.op, run.vars)
}

// objectOf reads a JSON object with its numbers as they are written.
func objectOf(text []byte) (object map[string]any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return object, decoder.Decode(&object)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// accepted is an operation that may run.
type accepted struct {
	op   *operation
	vars map[string]any
}

// accept finds and checks what a client asks for.
func (e *engine) accept(in Operation) (run accepted, refusal *Response) {
	// The parser and its rules are not ours, and a WebSocket's operations run in goroutines that nobody else watches.
	var err error
	func() {
		defer recovered(&err)
		run, refusal = e.find(in)
	}()
	if err != nil {
		refusal = refused(present(context.Background(), e.logger, "", err))
	}
	return run, refusal
}

func (e *engine) find(in Operation) (accepted, *Response) {
	doc, errs := e.document(in)
	if len(errs) > 0 {
		return accepted{}, refused(errs...)
	}
	op, err := doc.operation(in.Name)
	if err != nil {
		return accepted{}, refused(err)
	}
	vars, errs := e.schema.variables(op.ast, in.Variables)
	for _, name := range op.switches {
		if value, given := vars[name]; given && value == nil {
			errs = append(errs, Errorf(CodeBadUserInput, "Variable $%s decides what is included and must not be null.", name))
		}
	}
	if len(errs) > 0 {
		return accepted{}, refused(errs...)
	}
	if op.dynamic {
		if err := e.weigh(op, vars); err != nil {
			return accepted{}, refused(err)
		}
	}
	return accepted{op, vars}, nil
}

func (e *engine) document(in Operation) (*document, []*Error) {
	hash := strings.ToLower(in.hash)
	if e.allowed != nil {
		if hash == "" {
			hash = hashOf(in.Query)
		}
		if doc := e.allowed[hash]; doc != nil && (in.Query == "" || in.Query == doc.text) {
			return doc, nil
		}
		return nil, []*Error{Errorf(CodeNotAllowed, "Only documents that the server knows are run here.")}
	}
	if hash != "" && e.hashes == nil {
		return nil, []*Error{Errorf("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")}
	}
	if hash != "" && in.Query == "" {
		if doc := e.hashes.get(hash); doc != nil {
			return doc, nil
		}
		return nil, []*Error{Errorf(CodeNotPersisted, "PersistedQueryNotFound")}
	}
	if in.Query == "" {
		return nil, []*Error{Errorf(CodeBadRequest, "The request has no query.")}
	}
	if in.keep && hash != hashOf(in.Query) {
		return nil, []*Error{Errorf(CodeBadRequest, "The hash is not that of the query.")}
	}
	doc := e.texts.get(in.Query)
	if doc == nil {
		var errs []*Error
		if doc, errs = e.parse(in.Query); len(errs) > 0 {
			return nil, errs
		}
		e.texts.put(in.Query, doc)
	}
	if in.keep {
		e.hashes.put(hash, doc)
	}
	return doc, nil
}
