//go:build unix

package browsertest

import "encoding/json"

// What a visitor does with mouse and keyboard, as the browser's own events: what lies under something else is not hit,
// and scripts see what they would see.

// Click waits for an element that is shown, scrolls to it and clicks its middle.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.WaitFor(`(e => e && e.getClientRects().length && getComputedStyle(e).visibility == "visible")(` + found(selector) + `)`)
	middle, _ := p.Eval(`(e => {
		e.scrollIntoView({block: "center", behavior: "instant"})
		const r = e.getClientRects()[0]
		const x = r.x + r.width / 2, y = r.y + r.height / 2
		const hit = document.elementFromPoint(x, y)
		return {x, y, over: !hit || e.contains(hit) || hit.contains(e) || hit.control == e ? "" : hit.outerHTML}
	})(` + found(selector) + `)`).(map[string]any)
	if over, _ := middle["over"].(string); over != "" {
		p.t.Fatalf("%s cannot be clicked: over it lies\n%s", selector, over)
	}
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		p.call("Input.dispatchMouseEvent", map[string]any{
			"type": kind, "x": middle["x"], "y": middle["y"], "button": "left", "clickCount": 1,
		}, nil)
	}
}

// Type waits for a field, empties it and types a text into it, key by key.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.WaitFor(found(selector))
	p.Eval(`(e => { e.focus(); if (e.select) e.select() })(` + found(selector) + `)`)
	if text == "" {
		p.Press("Delete")
	}
	for _, c := range text {
		key := string(c)
		p.key("keyDown", map[string]any{"key": key, "text": key})
		p.key("keyUp", map[string]any{"key": key})
	}
}

// keys are those that have a name instead of a character: their codes, and what they write.
var keys = map[string]struct {
	code int
	text string
}{
	"Enter": {13, "\r"}, "Tab": {9, ""}, "Escape": {27, ""}, "Delete": {46, ""}, "Backspace": {8, ""}, "Space": {32, " "},
	"ArrowLeft": {37, ""}, "ArrowUp": {38, ""}, "ArrowRight": {39, ""}, "ArrowDown": {40, ""}, "Home": {36, ""}, "End": {35, ""},
}

// Press presses a key by its name, such as "Enter", "Tab" or "ArrowDown", wherever the focus is.
func (p *Page) Press(name string) {
	p.t.Helper()
	key, ok := keys[name]
	if !ok {
		p.t.Fatalf("there is no key %q here", name)
	}
	event := map[string]any{"key": name, "code": name, "windowsVirtualKeyCode": key.code}
	if name == "Space" {
		event["key"] = " "
	}
	kind := "rawKeyDown"
	if key.text != "" {
		kind, event["text"] = "keyDown", key.text
	}
	p.key(kind, event)
	delete(event, "text")
	p.key("keyUp", event)
}

func (p *Page) key(kind string, event map[string]any) {
	p.t.Helper()
	event["type"] = kind
	p.call("Input.dispatchKeyEvent", event, nil)
}

// Choose chooses files for an input of that type.
func (p *Page) Choose(selector string, files ...string) {
	p.t.Helper()
	p.WaitFor(found(selector))
	var input struct {
		Result struct{ ObjectID string }
	}
	p.call("Runtime.evaluate", map[string]any{"expression": found(selector)}, &input)
	p.call("DOM.setFileInputFiles", map[string]any{"files": files, "objectId": input.Result.ObjectID}, nil)
}

// size is the whole page's, in CSS pixels.
type size struct{ Width, Height float64 }

func (p *Page) size() size {
	p.t.Helper()
	var metrics struct {
		CSSContentSize json.RawMessage `json:"cssContentSize"`
	}
	var s size
	p.call("Page.getLayoutMetrics", nil, &metrics)
	if err := json.Unmarshal(metrics.CSSContentSize, &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}
