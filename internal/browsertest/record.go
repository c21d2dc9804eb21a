//go:build unix

package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A record is what a page does while it is open, its frames and workers included: what it asks for, what it logs, which
// documents have loaded.
type record struct {
	wire      *wire
	mainFrame string

	children sync.WaitGroup // of goroutines that answer events
	ctx      context.Context
	cancel   context.CancelFunc

	mu       sync.Mutex
	sessions []string       // of the page, its frames and workers
	statuses map[string]int // of documents, by loader
	failing  []string       // addresses of documents that were answered by 4xx or 5xx
	logged   []logEntry
	foreign  []string
	dialogs  []string
	loads    []chan int
}

// logEntry is an error that was logged. One with an address is about what that was answered.
type logEntry struct{ text, about string }

func newRecord(w *wire, mainFrame string) *record {
	r := &record{wire: w, mainFrame: mainFrame, statuses: map[string]int{}}
	r.ctx, r.cancel = context.WithTimeout(context.Background(), 10*Patience)
	return r
}

func (r *record) stop() {
	r.mu.Lock()
	r.cancel() // nothing is added to the children from here on
	sessions := slices.Clone(r.sessions)
	r.mu.Unlock()
	r.children.Wait()
	for _, session := range sessions {
		r.wire.listen(session, nil)
	}
}

// watch listens to a page, frame or worker.
func (r *record) watch(ctx context.Context, session string, isPage bool) error {
	r.mu.Lock()
	r.sessions = append(r.sessions, session)
	r.mu.Unlock()
	r.wire.listen(session, func(method string, params json.RawMessage) { r.event(session, method, params) })
	methods := []string{"Network.enable", "Runtime.enable", "Log.enable"}
	if isPage {
		methods = append(methods, "Page.enable", "DOM.enable")
	}
	for _, method := range methods {
		// A kind of worker that lacks one of these is no reason to stop.
		if err := r.wire.call(ctx, session, method, nil, nil); err != nil && isPage {
			return err
		}
	}
	if isPage {
		if err := r.wire.call(ctx, session, "Page.setLifecycleEventsEnabled", map[string]any{"enabled": true}, nil); err != nil {
			return err
		}
	}
	return r.wire.call(ctx, session, "Target.setAutoAttach", map[string]any{"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true}, nil)
}

// async runs what an event asks for, as events themselves must not call. The record is locked.
func (r *record) async(answer func()) {
	if r.ctx.Err() == nil {
		r.children.Go(answer)
	}
}

// greet watches a frame or worker from its first request on.
func (r *record) greet(session, kind string) {
	_ = r.watch(r.ctx, session, kind == "iframe" || kind == "page") // it may have gone
	_ = r.wire.call(r.ctx, session, "Runtime.runIfWaitingForDebugger", nil, nil)
}

// settle waits until what has happened so far has been reported: events come in order with answers.
func (r *record) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	r.mu.Lock()
	sessions := slices.Clone(r.sessions)
	r.mu.Unlock()
	for _, session := range sessions {
		_ = r.wire.call(ctx, session, "Runtime.evaluate", map[string]any{"expression": "0"}, nil) // it may have gone
	}
}

// exception is an error that a script did not catch.
type exception struct {
	Text      string
	URL       string
	Line      int `json:"lineNumber"`
	Exception *struct {
		Description string
		Value       any
	}
}

func (e *exception) String() string {
	text := e.Text
	if x := e.Exception; x != nil && x.Description != "" {
		text += " " + x.Description
	} else if x != nil {
		text += fmt.Sprint(" ", x.Value)
	}
	if e.URL != "" {
		text += fmt.Sprintf(" (%s:%d)", e.URL, e.Line+1)
	}
	return text
}

// happening has the fields of all events that are listened to.
type happening struct {
	SessionID  string
	TargetInfo struct{ Type string }
	FrameID    string
	LoaderID   string
	Name       string
	URL        string
	Type       string
	Request    struct{ URL string }
	Response   struct {
		URL    string
		Status int
	}
	ExceptionDetails *exception
	Args             []struct {
		Value       any
		Description string
	}
	Entry   struct{ Source, Level, Text, URL string }
	Message string
}

func (r *record) event(session, method string, params json.RawMessage) {
	var h happening
	switch method {
	case "Target.attachedToTarget", "Page.lifecycleEvent", "Network.requestWillBeSent", "Network.responseReceived",
		"Network.webSocketCreated", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening":
		if err := json.Unmarshal(params, &h); err != nil {
			return
		}
	default:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch method {
	case "Target.attachedToTarget":
		r.async(func() { r.greet(h.SessionID, h.TargetInfo.Type) })
	case "Page.javascriptDialogOpening":
		r.dialogs = append(r.dialogs, h.Message)
		r.async(func() { // it may have gone
			_ = r.wire.call(r.ctx, session, "Page.handleJavaScriptDialog", map[string]any{"accept": true}, nil)
		})
	case "Page.lifecycleEvent":
		if h.FrameID == r.mainFrame && h.Name == "load" {
			r.loaded(h.LoaderID)
		}
	case "Network.requestWillBeSent":
		r.asked(h.Request.URL)
	case "Network.webSocketCreated":
		r.asked(h.URL)
	case "Network.responseReceived":
		if h.Type == "Document" {
			r.statuses[h.LoaderID] = h.Response.Status
			if h.Response.Status >= 400 {
				r.failing = append(r.failing, h.Response.URL)
			}
		}
	case "Runtime.consoleAPICalled":
		if h.Type == "error" || h.Type == "assert" {
			var words []string
			for _, a := range h.Args {
				if a.Description == "" {
					a.Description = fmt.Sprint(a.Value)
				}
				words = append(words, a.Description)
			}
			r.logged = append(r.logged, logEntry{text: strings.Join(words, " ")})
		}
	case "Runtime.exceptionThrown":
		r.logged = append(r.logged, logEntry{text: h.ExceptionDetails.String()})
	case "Log.entryAdded":
		if h.Entry.Level == "error" {
			e := logEntry{text: strings.TrimSpace(h.Entry.Source + ": " + h.Entry.Text + " " + h.Entry.URL)}
			if h.Entry.Source == "network" {
				e.about, _, _ = strings.Cut(h.Entry.URL, "#")
			}
			r.logged = append(r.logged, e)
		}
	}
}

// nextLoad returns a channel that gets the status of the next document that has loaded.
func (r *record) nextLoad() <-chan int {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan int, 1)
	r.loads = append(r.loads, c)
	return c
}

func (r *record) loaded(loader string) {
	status, known := r.statuses[loader]
	if !known {
		return // about:blank
	}
	for _, c := range r.loads {
		c <- status
	}
	r.loads = nil
}

func (r *record) asked(target string) {
	if !isLocal(target) && !slices.Contains(r.foreign, target) {
		r.foreign = append(r.foreign, target)
	}
}

// isLocal reports whether an address is on this machine, or on none.
func isLocal(target string) bool {
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "data", "blob", "about":
		return true
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// ConsoleErrors lists what the page has logged as an error: what scripts did not catch, what they wrote with
// console.error, what the browser refused to do or could not load. That a page itself was answered by a 4xx or 5xx,
// which browsers log too, is left out: Goto and Navigate return the status.
func (p *Page) ConsoleErrors() []string {
	p.record.settle()
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	var list []string
	for _, e := range p.record.logged {
		if e.about == "" || !slices.Contains(p.record.failing, e.about) {
			list = append(list, e.text)
		}
	}
	return list
}

// ForeignRequests lists the addresses of other hosts that the page has asked for anything, in vain.
func (p *Page) ForeignRequests() []string {
	p.record.settle()
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	return slices.Clone(p.record.foreign)
}

// Dialogs lists the messages of the dialogs that the page has opened: alerts, questions. Each was answered with OK.
func (p *Page) Dialogs() []string {
	p.record.settle()
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	return slices.Clone(p.record.dialogs)
}

// Forgive forgets the errors and requests so far, for a test that caused them on purpose.
func (p *Page) Forgive() {
	p.record.settle()
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	p.record.logged, p.record.foreign = nil, nil
}

// check fails the test for what no page should do.
func (p *Page) check() {
	for _, text := range p.ConsoleErrors() {
		p.t.Errorf("the page logged an error: %s", text)
	}
	for _, target := range p.ForeignRequests() {
		p.t.Errorf("the page asked another host: %s", target)
	}
}
