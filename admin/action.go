package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/tasks"
)

// BulkOptions are the settings of Bulk.
type BulkOptions struct {
	// Background has the action run as a job of Options.Queue, row by row, with a progress bar. A row that fails is reported
	// and the others go on. Without it all rows are one transaction, within the request.
	Background bool
	// Confirm is a question to be answered first, such as "Send the mails now?".
	Confirm string
	// Danger marks what cannot be taken back.
	Danger bool
}

// action is something of the program's own that is done to rows that were chosen in the list.
type action struct {
	name, slug string
	options    BulkOptions
	run        func(ctx context.Context, tx *orm.Tx, row any) error
	task       *tasks.Task[jobArgs, jobResult]
}

// Bulk adds an action to the list of a model: what is done to each row that was chosen, in a transaction. The row is as it is
// in the database. What the function changes of it, it saves itself; the log notes the action and the fields that changed.
//
//	admin.Bulk("Publish", func(ctx context.Context, tx *orm.Tx, p *Post) error {
//		p.Published = true
//		return orm.Of[Post](tx).Save(ctx, p)
//	}, admin.BulkOptions{})
func Bulk[T any](name string, run func(ctx context.Context, tx *orm.Tx, row *T) error, options BulkOptions) Option {
	return func(m *model) error {
		if _, ok := m.rows.(rowsOf[T]); !ok {
			return fmt.Errorf("Bulk(%q) is for another model than %s", name, m.table.Model)
		}
		a := &action{name: name, slug: "do-" + escapeKey(name), options: options}
		for _, other := range m.actions {
			if other.slug == a.slug {
				return fmt.Errorf("Bulk(%q) is there already", name)
			}
		}
		a.run = func(ctx context.Context, tx *orm.Tx, row any) error { return run(ctx, tx, row.(*T)) }
		m.actions = append(m.actions, a)
		return nil
	}
}

// jobArgs are what a job is told: rows by their keys, or all that a list shows, or a file, and in whose name.
type jobArgs struct {
	File  string   `json:"file,omitempty"` // of an import, see filePart
	Size  int64    `json:"size,omitempty"` // of the file
	Mode  string   `json:"mode,omitempty"` // of the import
	Keys  []string `json:"keys,omitempty"`
	Query string   `json:"query,omitempty"`
	All   bool     `json:"all,omitempty"`
	Model string   `json:"model"`
	Name  string   `json:"name"`
	Actor string   `json:"actor"`
	Known string   `json:"known"` // what the actor is called
	User  string   `json:"user"`  // of the actor's session
}

type jobResult struct {
	Done   int      `json:"done"`
	Failed int      `json:"failed"`
	Errors []string `json:"errors,omitempty"` // the first ones

	Import *imported `json:"import,omitempty"`
}

const jobErrors = 50 // are kept

func (a *action) connect(m *model) error {
	if !a.options.Background {
		return nil
	}
	if m.panel.options.Queue == nil {
		return fmt.Errorf("admin: Bulk(%q) of %s runs in the background: give Options.Queue", a.name, m.table.Model)
	}
	run := func(ctx context.Context, args jobArgs) (jobResult, error) { return m.work(ctx, a, args) }
	a.task = tasks.Define(m.panel.options.Queue, "admin."+m.slug+"."+strings.ReplaceAll(escapeKey(a.name), "~", "-"), run, tasks.MaxAttempts(3), tasks.Timeout(6*time.Hour))
	return nil
}

type actionView struct {
	Value, Label string
	Danger       bool
}

func (v *visit) actionViews(m *model) []actionView {
	var list []actionView
	for _, a := range m.actions {
		if !m.noActions[Run] && v.mayRun(m, a.name, nil) {
			list = append(list, actionView{a.slug, v.say(a.name), a.options.Danger})
		}
	}
	if v.may(m, Delete) {
		list = append(list, actionView{"delete", v.say("Delete"), true})
	}
	return list
}

// bulkMost is how many rows are done within a request.
const bulkMost = 1000

// bulk does an action to the rows that were chosen.
func (p *Panel) bulk(v *visit, m *model) (any, error) {
	form, err := v.r.Form()
	if err != nil {
		return nil, err
	}
	keys, all := form.Values()["key"], form.Value("all") != ""
	query, err := url.ParseQuery(form.Value("_query"))
	if err != nil {
		return nil, ishaa.BadRequest("%s", v.say("The list cannot be read."))
	}
	back := p.at(m.slug)
	if len(query) > 0 {
		back += "?" + query.Encode()
	}
	if len(keys) == 0 && !all {
		return v.done("error", v.say("Choose rows first."), back)
	}
	if len(keys) > bulkMost {
		return nil, ishaa.Unprocessable("%s", v.say("At most %d rows at once.", bulkMost))
	}
	if form.Value("action") == "delete" {
		return v.bulkDelete(m, form, keys, all, query, back)
	}
	for _, a := range m.actions {
		if a.slug == form.Value("action") {
			return v.bulkAction(m, a, form, keys, all, query, back)
		}
	}
	return v.done("error", v.say("Choose what to do."), back)
}

func (v *visit) bulkAction(m *model, a *action, form *ishaa.Form, keys []string, all bool, query url.Values, back string) (any, error) {
	if m.noActions[Run] || !v.mayRun(m, a.name, nil) {
		return nil, ishaa.Forbidden("%s", v.say("You may not do this."))
	}
	if a.options.Confirm != "" && form.Value("confirm") == "" {
		return v.show("confirm.html", map[string]any{
			"m": m.view(v), "title": v.say(a.name), "question": v.say(a.options.Confirm), "keys": keys, "all": all, "query": query.Encode(),
			"action": a.slug, "danger": a.options.Danger, "count": len(keys), "back": back,
		})
	}
	if a.options.Background {
		args := jobArgs{Keys: keys, All: all, Query: query.Encode(), Model: m.slug, Name: a.name}
		if all {
			args.Keys = nil
		}
		return v.delay(a.task, args)
	}
	if all {
		var err error
		if keys, err = v.allKeys(m, query); err != nil {
			return nil, err
		}
	}
	err := v.panel.db.Tx(v.ctx, func(tx *orm.Tx) error {
		for _, key := range keys {
			if err := v.in(tx).act(tx, m, a, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v.done("success", v.say("%s: %d %s.", v.say(a.name), len(keys), v.say(m.many)), back)
}

// delay has a job do something in the visitor's name, and goes to the page that shows how far it is.
func (v *visit) delay(task *tasks.Task[jobArgs, jobResult], args jobArgs) (any, error) {
	user, err := v.panel.sessions.From(v.r).User()
	if err != nil {
		return nil, err
	}
	args.Actor, args.Known, args.User = v.who.Subject, v.name, user
	job, err := task.Delay(v.ctx, args)
	if err != nil {
		return nil, err
	}
	return ishaa.Redirect(v.panel.at("-", "jobs", strconv.FormatInt(job.ID, 10))), nil
}

// inNameOf is the visit of a job. A role that was taken away meanwhile counts.
func (p *Panel) inNameOf(ctx context.Context, args jobArgs) (*visit, error) {
	info, _ := tasks.Current(ctx)
	who, err := p.login.Load(ctx, args.User)
	if err != nil {
		return nil, err
	}
	if who == nil {
		return nil, tasks.Permanent(errors.New("the account is closed"))
	}
	return &visit{panel: p, ctx: ctx, who: who, name: args.Known, on: p.db, job: info.ID}, nil
}

// act does an action to one row, and records it.
func (v *visit) act(tx *orm.Tx, m *model, a *action, key string) error {
	row, err := v.findOn(tx, m, key, View, true)
	if err != nil {
		return err
	}
	if !v.mayRun(m, a.name, row) {
		return ishaa.Forbidden("%s", v.say("You may not do this to %s.", m.called(row)))
	}
	before := m.texts(row)
	if err := a.run(v.ctx, tx, row); err != nil {
		return err
	}
	changes, _ := m.changes(before, row)
	return v.record(v.ctx, tx, a.name, m, row, changes)
}

// allKeys are the keys of all rows of a list, as many as can be done within a request.
func (v *visit) allKeys(m *model, query url.Values) ([]string, error) {
	l, err := v.listing(m, query)
	if err != nil || l.nothing {
		return nil, err
	}
	l.limit = bulkMost + 1
	var keys []string
	for row, err := range m.rows.each(v.ctx, v.panel.db, l.question) {
		if err != nil {
			return nil, err
		}
		if v.mayAsk(Ask{Action: View, Model: m.slug, Row: row}) {
			keys = append(keys, m.keyOf(row))
		}
	}
	if len(keys) > bulkMost {
		return nil, ishaa.Unprocessable("%s", v.say("At most %d rows at once.", bulkMost))
	}
	return keys, nil
}

func (v *visit) bulkDelete(m *model, form *ishaa.Form, keys []string, all bool, query url.Values, back string) (any, error) {
	if !v.may(m, Delete) {
		return nil, ishaa.Forbidden("%s", v.say("You may not do this."))
	}
	if all {
		var err error
		if keys, err = v.allKeys(m, query); err != nil {
			return nil, err
		}
	}
	if form.Value("confirm") != "" {
		if ok, err := v.removeAll(m, keys); err != nil {
			return nil, err
		} else if ok {
			return v.done("success", v.say("Deleted: %d %s.", len(keys), v.say(m.many)), back)
		}
	}
	var rows []any
	for _, key := range keys {
		row, err := v.find(m, key, Delete)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return v.done("error", v.say("Choose rows first."), back)
	}
	status := 0
	if form.Value("confirm") != "" {
		status = 409
	}
	return v.confirmDelete(m, rows, v.panel.at(m.slug), back, keys, status)
}

// work runs an action as a job, in the name of who asked for it.
func (m *model) work(ctx context.Context, a *action, args jobArgs) (result jobResult, err error) {
	v, err := m.panel.inNameOf(ctx, args)
	if err != nil {
		return result, err
	}
	total := int64(len(args.Keys))
	batches := func(yield func([]string, error) bool) { yield(args.Keys, nil) }
	if args.All {
		if batches, total, err = v.batches(m, args.Query); err != nil {
			return result, err
		}
	}
	if err := tasks.Progress(ctx, 0, total, ""); err != nil {
		return result, err
	}
	seen := int64(0)
	for keys, err := range batches {
		if err != nil {
			return result, err
		}
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				return result, err
			}
			if err := v.actOnce(m, a, key); err != nil {
				result.Failed++
				if len(result.Errors) < jobErrors {
					result.Errors = append(result.Errors, key+": "+public(err))
				}
				m.panel.logger.WarnContext(ctx, "admin: an action failed for a row", "action", a.name, "model", m.slug, "key", key, "error", err)
			} else {
				result.Done++
			}
			seen++
			if err := tasks.Progress(ctx, seen, max(seen, total), ""); err != nil {
				return result, err
			}
		}
	}
	return result, nil
}

// actOnce does an action to a row, unless this job has in an earlier attempt.
func (v *visit) actOnce(m *model, a *action, key string) error {
	return v.panel.db.Tx(v.ctx, func(tx *orm.Tx) error {
		done, err := orm.Of[Entry](tx).Filter("job", v.job, "model", m.slug, "key", clip(key, 180)).Exists(v.ctx)
		if err != nil || done {
			return err
		}
		return v.in(tx).act(tx, m, a, key)
	})
}

// batches are the keys of all rows of a list, some hundred at a time, in the order of the keys: what the action changes
// moves no row.
func (v *visit) batches(m *model, query string) (func(yield func([]string, error) bool), int64, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, 0, err
	}
	l, err := v.listing(m, values)
	if err != nil {
		return nil, 0, err
	}
	if l.nothing {
		return func(func([]string, error) bool) {}, 0, nil
	}
	total, err := m.rows.count(v.ctx, v.on, l.question, 0)
	q := l.question
	q.order = nil
	return func(yield func([]string, error) bool) {
		after := ""
		for {
			rows, next, _, err := m.rows.page(v.ctx, v.on, q, orm.PageRequest{Size: 200, After: after})
			var keys []string
			for _, row := range rows {
				if v.mayAsk(Ask{Action: View, Model: m.slug, Row: row}) {
					keys = append(keys, m.keyOf(row))
				}
			}
			if !yield(keys, err) || err != nil || next == "" {
				return
			}
			after = next
		}
	}, total, err
}

// public is what a person is told of an error: the text of one that is meant for them.
func public(err error) string {
	var problem *ishaa.Problem
	var stored *orm.Error
	switch {
	case errors.As(err, &problem) && problem.Status < 500:
		return problem.Detail
	case errors.As(err, &stored):
		return stored.Error()
	}
	return "it failed; the log says why"
}

// jobPage shows how far a job is.
func (p *Panel) jobPage(v *visit) (any, error) {
	missing := ishaa.NotFound("%s", v.say("There is no such job."))
	if p.options.Queue == nil {
		return nil, missing
	}
	info, err := p.options.Queue.Info(v.ctx, v.r.ParamInt("id"))
	if errors.Is(err, tasks.ErrNotFound) {
		return nil, missing
	} else if err != nil {
		return nil, err
	}
	var args jobArgs
	if !strings.HasPrefix(info.Task, "admin.") || json.Unmarshal(info.Args, &args) != nil || p.bySlug[args.Model] == nil {
		return nil, missing
	}
	m := p.bySlug[args.Model]
	if !v.may(m, View) || args.Actor != v.who.Subject && !v.mayAsk(Ask{Action: Audit, Model: args.Model}) {
		return nil, missing
	}
	var result jobResult
	if len(info.Result) > 0 {
		if err := json.Unmarshal(info.Result, &result); err != nil {
			return nil, err
		}
	}
	percent := int64(0)
	if info.Progress.Total > 0 {
		percent = info.Progress.Done * 100 / info.Progress.Total
	}
	data := map[string]any{
		"m": m.view(v), "title": v.say(args.Name), "status": string(info.Status), "done": info.Status.Done(), "now_done": info.Progress.Done,
		"total": info.Progress.Total, "percent": percent, "result": result, "poll": v.r.Path(),
	}
	if i := result.Import; i != nil {
		for n, bad := range i.Bad { // a job knows no language
			i.Bad[n].Message = v.say(bad.Message)
		}
		data["import"], data["kept"], data["checked"] = i, i.kept(args.Mode), args.Mode == "check"
	}
	data["of_file"] = args.File != ""
	if v.r.Header("HX-Request") != "" {
		return v.showPart("job.html", "progress", data)
	}
	return v.show("job.html", data)
}
