package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	starjson "go.starlark.net/lib/json"
	starmath "go.starlark.net/lib/math"
	startime "go.starlark.net/lib/time"
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/terminal"
	"github.com/ishaa-framework/ishaa/internal/typo"
	"github.com/ishaa-framework/ishaa/orm"
)

// session is one run of the shell. It belongs to one goroutine, but for what interrupts it.
type session struct {
	app      *ishaa.App
	db       *orm.DB
	out      io.Writer
	style    terminal.Style
	readonly bool
	json     bool
	maxRows  int

	globals starlark.StringDict
	models  map[string]*model // by name
	tables  map[string]*model // by table

	ctx context.Context // of the statement that runs
}

var dialect = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, LoadBindsGlobally: true, Recursion: true}

func newSession(app *ishaa.App, db *orm.DB, out io.Writer) *session {
	s := &session{
		app: app, db: db, out: out, style: terminal.StyleFor(out), maxRows: 100, ctx: context.Background(),
		models: map[string]*model{}, tables: map[string]*model{},
	}
	s.globals = starlark.StringDict{
		"app":    starlark.String(app.Name()),
		"json":   starjson.Module,
		"math":   starmath.Module,
		"time":   startime.Module,
		"config": s.config(),
		"routes": s.routes(),
		"url":    starlark.NewBuiltin("url", s.url),
		"help":   starlark.NewBuiltin("help", s.help),
	}
	for _, table := range db.Tables() {
		if table.Type == nil { // a table between two models
			continue
		}
		m := newModel(s, table)
		s.models[table.Model], s.tables[table.Name] = m, m
		s.globals[table.Model] = m
	}
	s.globals["models"] = s.modelList()
	return s
}

// read runs something that reads.
func (s *session) read(fn func(on orm.Session) error) error {
	if !s.readonly {
		return fn(s.db)
	}
	return s.db.TxWith(s.ctx, orm.TxOptions{ReadOnly: true}, func(tx *orm.Tx) error { return fn(tx) })
}

// write runs something that writes.
func (s *session) write(what string, fn func(on orm.Session) error) error {
	if s.readonly {
		return fmt.Errorf("%s would write, and the shell is read-only; start it without --readonly", what)
	}
	return fn(s.db)
}

// script runs statements one after another, and prints what expressions give. The first error ends it.
func (s *session) script(ctx context.Context, name, text string) error {
	if len(text) > maxScript {
		return fmt.Errorf("shell: the script is longer than %d MiB", maxScript>>20)
	}
	file, err := dialect.Parse(name, text, 0)
	if err != nil {
		return errors.New("shell: " + s.explain(err))
	}
	if err := s.execute(ctx, file); err != nil {
		return errors.New("shell: " + s.explain(err))
	}
	return nil
}

// execute runs the statements of a file, and prints what expressions give.
func (s *session) execute(ctx context.Context, file *syntax.File) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	thread := &starlark.Thread{Name: "shell", Print: func(_ *starlark.Thread, text string) { fmt.Fprintln(s.out, terminal.Clean(text)) }}
	stop := context.AfterFunc(ctx, func() { thread.Cancel(context.Cause(ctx).Error()) })
	defer stop()
	s.ctx = ctx
	defer func() {
		if cause := recover(); cause != nil { // a mistake of the shell's, which must not end it
			err = fmt.Errorf("the shell stumbled: %v", cause)
		}
	}()
	for _, statement := range file.Stmts {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if expression, ok := statement.(*syntax.ExprStmt); ok {
			value, err := starlark.EvalExprOptions(dialect, thread, expression.X, s.globals)
			if err != nil {
				return s.because(ctx, err)
			}
			if value != starlark.None {
				s.globals["_"] = value
				if err := s.show(value); err != nil {
					return err
				}
			}
			continue
		}
		chunk := &syntax.File{Path: file.Path, Stmts: []syntax.Stmt{statement}, Options: dialect}
		if err := starlark.ExecREPLChunk(chunk, thread, s.globals); err != nil {
			return s.because(ctx, err)
		}
	}
	return nil
}

var errInterrupted = errors.New("interrupted")

// because is the error of a statement, or why it was given up.
func (s *session) because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// explain makes an error readable: one line, with the place if there is more than one line, and what was probably meant.
func (s *session) explain(err error) string {
	var syntaxError syntax.Error
	var unknown resolve.ErrorList
	var evaluation *starlark.EvalError
	switch {
	case errors.As(err, &unknown) && len(unknown) > 0:
		text := unknown[0].Msg
		if name, ok := strings.CutPrefix(text, "undefined: "); ok {
			if i := strings.IndexAny(name, " ("); i >= 0 {
				name = name[:i]
			}
			if near := typo.Nearest(name, s.names()); near != "" {
				return fmt.Sprintf("there is no %s; did you mean %s?", name, near)
			}
			return fmt.Sprintf("there is no %s; help() says what there is", name)
		}
		return fmt.Sprintf("line %d: %s", unknown[0].Pos.Line, text)
	case errors.As(err, &syntaxError):
		return fmt.Sprintf("line %d, column %d: %s", syntaxError.Pos.Line, syntaxError.Pos.Col, syntaxError.Msg)
	case errors.As(err, &evaluation):
		text := evaluation.Msg
		for i := range len(evaluation.CallStack) {
			if at := evaluation.CallStack.At(i); at.Pos.Line > 1 {
				return fmt.Sprintf("line %d: %s", at.Pos.Line, text)
			}
		}
		return text
	}
	return err.Error()
}

// names yields what a statement may begin with.
func (s *session) names() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, list := range []starlark.StringDict{s.globals, starlark.Universe} {
			for _, name := range slices.Sorted(maps.Keys(list)) {
				if !yield(name) {
					return
				}
			}
		}
	}
}
