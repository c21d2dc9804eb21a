//go:build unix

package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// Page is one tab. Its methods fail the test when something cannot be done; they are for the test's own goroutine.
type Page struct {
	t       testing.TB
	wire    *wire
	session string
	record  *record
	view    View
}

// Open opens an empty page with cookies and storage of its own. When the test ends it is closed, and the test fails if
// the page logged errors or asked another host for anything.
func (b *Browser) Open(t testing.TB, view View) *Page {
	t.Helper()
	p := &Page{t: t, wire: b.wire, view: view}
	var made struct{ BrowserContextID, TargetID, SessionID string }
	p.browser("Target.createBrowserContext", map[string]any{"disposeOnDetach": true}, &made)
	contextID := made.BrowserContextID
	p.browser("Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": contextID}, &made)
	p.browser("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	p.session = made.SessionID
	p.record = newRecord(b.wire, made.TargetID)
	t.Cleanup(func() {
		p.check()
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		_ = b.wire.call(ctx, "", "Target.disposeBrowserContext", map[string]any{"browserContextId": contextID}, nil) // it closes with the browser
		p.record.stop()
	})
	ctx, cancel := p.patience()
	defer cancel()
	if err := p.record.watch(ctx, p.session, true); err != nil {
		t.Fatal(err)
	}
	p.Look(view)
	return p
}

// Look changes what the page is looked at with.
func (p *Page) Look(view View) {
	p.t.Helper()
	p.view = view
	scheme := "light"
	if view.Dark {
		scheme = "dark"
	}
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": view.Width, "height": view.Height, "deviceScaleFactor": 1, "mobile": view.Phone,
	}, nil)
	p.call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": view.Phone}, nil)
	p.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
		{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"},
	}}, nil)
}

// Scripts says whether the pages that are opened from now on may run scripts of their own, as a visitor may decide. Eval
// works in any case.
func (p *Page) Scripts(allowed bool) {
	p.t.Helper()
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": !allowed}, nil)
}

// Goto opens an address, waits until it has loaded and returns the status of the answer.
func (p *Page) Goto(url string) (status int) {
	p.t.Helper()
	return p.Navigate(func() {
		p.t.Helper()
		var started struct{ ErrorText string }
		p.call("Page.navigate", map[string]any{"url": url}, &started)
		if started.ErrorText != "" {
			p.t.Fatalf("%s: %s", url, started.ErrorText)
		}
	})
}

// Navigate does something that leads to another page, such as a click on a link, waits until that has loaded and
// returns the status of the answer.
func (p *Page) Navigate(action func()) (status int) {
	p.t.Helper()
	loaded := p.record.nextLoad()
	action()
	ctx, cancel := p.patience()
	defer cancel()
	select {
	case status = <-loaded:
		return status
	case <-ctx.Done():
		p.t.Fatalf("no page has loaded; it is at %s", p.Eval("location.href"))
	case <-p.wire.ended:
		p.t.Fatal(errGone)
	}
	return 0
}

// Eval returns what an expression gives in the page: nil, a bool, float64, string, []any or map[string]any. Promises are
// awaited. What throws fails the test.
func (p *Page) Eval(expression string) any {
	p.t.Helper()
	value, err := p.eval(expression)
	if err != nil {
		p.t.Fatalf("%s\n%v", expression, err)
	}
	return value
}

func (p *Page) eval(expression string) (any, error) {
	ctx, cancel := p.patience()
	defer cancel()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails *exception
	}
	err := p.wire.call(ctx, p.session, "Runtime.evaluate", map[string]any{
		"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true,
	}, &got)
	if err == nil && got.ExceptionDetails != nil {
		err = fmt.Errorf("it threw %s", got.ExceptionDetails)
	}
	return got.Result.Value, err
}

// WaitFor waits until an expression is true in the page.
func (p *Page) WaitFor(expression string) {
	p.t.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	for {
		value, err := p.eval("!!(" + expression + ")") // may fail while one page makes place for another
		if value == true {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("%s\ndid not become true: %v; the page has\n%s", expression, err, p.Eval("document.documentElement.outerHTML"))
		case <-p.wire.ended:
			p.t.Fatal(errGone)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Text waits for an element and returns its text, as it is shown.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	p.WaitFor(found(selector))
	text, _ := p.Eval(found(selector) + ".innerText").(string)
	return text
}

func found(selector string) string { return "document.querySelector(" + quoted(selector) + ")" }

func quoted(text string) string {
	out, _ := json.Marshal(text) // a string always has JSON, which is JavaScript too
	return string(out)
}

func (p *Page) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.t.Context(), Patience)
}

func (p *Page) call(method string, params, result any) {
	p.t.Helper()
	p.callSession(p.session, method, params, result)
}

func (p *Page) browser(method string, params, result any) {
	p.t.Helper()
	p.callSession("", method, params, result)
}

func (p *Page) callSession(session, method string, params, result any) {
	p.t.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	if err := p.wire.call(ctx, session, method, params, result); err != nil {
		p.t.Fatal(err)
	}
}
