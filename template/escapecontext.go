package template

import "strings"

// An escContext is a place in an HTML page, as a browser reads it. Text moves it on (see advance); a value that is
// written there gets the escaping of the place (see escaper). The zero value is text between tags. All of this happens
// when a template is compiled.
type escContext struct {
	state   pageState
	delim   byte   // of an attribute's value: '"', '\'', ' ' for none, 0 outside of attributes
	element string // script, style, title, textarea: whose content is no HTML; in a tag: the tag's name
	kind    string // of a script: its type attribute; of a meta: metaNamed or metaHTTP
	attr    attrKind
	name    string // of the attribute
	url     urlPart
	urlHead string // the text of a URL up to where its scheme is settled, "?" for data in it; see escapeurl.go; of srcdoc the whole text
	js      string // what JavaScript is inside of: a stack of quotes, '{' braces and '$' template substitutions
	slash   slashRule
	dashes  bool // the script has "<!--" in it: "<script" behind it would hide its end
	css     byte // inside of CSS: a quote, '*' in a comment, 'u' in url(, or 0
	cssURL  bool // the CSS string is the argument of url(
}

type pageState uint8

const (
	inText pageState = iota
	inTagName
	inTag       // between attributes
	inTagOrName // behind branches of which one may have ended with an attribute's name
	inAttrName  // in an attribute's name
	afterName   // behind it, before "="
	beforeValue // behind "="
	inValue
	inRaw // the content of title, textarea, script, style …
	inComment
	inDeclaration
)

type attrKind uint8

const (
	attrPlain attrKind = iota
	attrURL
	attrJS
	attrCSS
	attrSrcset  // several URLs, also the values of an SVG animation
	attrRefresh // meta's content
	attrHTML    // iframe's srcdoc
	attrDynamic // the name itself came from data
)

type slashRule uint8

const (
	slashRegexp slashRule = iota
	slashDivides
	slashUnknown
)

// String names the place for messages.
func (c escContext) String() string {
	attr := " of the attribute \"" + c.name + "\""
	switch c.state {
	case inText:
		return "text"
	case inTagName:
		return "a tag's name"
	case inTag, inTagOrName:
		return "a tag <" + c.element + ">"
	case inAttrName, afterName:
		return "an attribute's name"
	case beforeValue:
		return "the place before the value" + attr
	case inValue:
		return "the value" + attr
	case inComment:
		return "a comment"
	case inDeclaration:
		return "a declaration"
	}
	return "the content of <" + c.element + ">"
}

// join is the place that two branches end in, if they agree about it.
func join(a, b escContext) (escContext, bool) {
	if a == b {
		return a, true
	}
	// In a tag it does not matter whether a space is there yet.
	tagLike := func(c escContext) bool {
		return c.state == inTag || c.state == inTagOrName || c.state == inTagName || c.state == inAttrName || c.state == afterName
	}
	if tagLike(a) && tagLike(b) && a.element == b.element && a.kind == b.kind {
		a.state, a.name, a.attr = inTagOrName, "", attrPlain
		return a, true
	}
	// An unquoted value that one branch began and the other did not would swallow what follows; no rule for that.
	x, y := a, b
	x.url, y.url, x.urlHead, y.urlHead = 0, 0, "", ""
	x.slash, y.slash = 0, 0
	if x != y {
		return a, false
	}
	if a.slash != b.slash {
		a.slash = slashUnknown
	}
	ok := a.joinURL(b)
	return a, ok
}

// afterUnknown is the place behind something whose text is not known, but which ends where it began.
func (c escContext) afterUnknown() escContext {
	if c.state == inValue || c.state == beforeValue || c.cssURL || c.css == 'u' {
		c.unknownURL()
	}
	if c.js == "" && c.isJS() {
		c.slash = slashUnknown
	}
	return c
}

func (c escContext) isJS() bool {
	return c.state == inRaw && c.element == "script" && isJSType(c.kind) || c.state == inValue && c.attr == attrJS
}

func (c escContext) isCSS() bool {
	return c.state == inRaw && c.element == "style" || c.state == inValue && c.attr == attrCSS
}

// isJSType reports whether a script of this type is JavaScript or JSON.
func isJSType(t string) bool {
	t, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(t)), ";")
	t = strings.TrimSpace(t)
	switch t {
	case "", "module", "importmap", "speculationrules", "text/ecmascript", "application/ecmascript", "text/jscript", "text/livescript":
		return true
	}
	return strings.Contains(t, "javascript") || strings.HasSuffix(t, "json")
}

var urlAttributes = map[string]bool{
	"action": true, "archive": true, "background": true, "cite": true, "classid": true, "codebase": true, "data": true,
	"formaction": true, "href": true, "icon": true, "longdesc": true, "manifest": true, "ping": true, "poster": true,
	"profile": true, "src": true, "usemap": true,
	"hx-get": true, "hx-post": true, "hx-put": true, "hx-patch": true, "hx-delete": true,
}

// Values of these attributes are scripts: those of htmx, Alpine and Vue are expressions in JavaScript, or JSON.
var scriptPrefixes = []string{"on", "@", ":", "v-", "hx-on", "hx-vals", "hx-headers", "hx-vars", "x-on", "x-data", "x-init", "x-bind", "x-text", "x-html",
	"x-show", "x-model", "x-if", "x-for", "x-effect", "x-id"}

// kindOf says what an attribute's value is.
func kindOf(element, name string) attrKind {
	name = strings.TrimPrefix(strings.ToLower(name), "data-")
	if strings.HasPrefix(name, "xmlns") {
		return attrURL
	}
	for _, prefix := range scriptPrefixes {
		if strings.HasPrefix(name, prefix) {
			return attrJS
		}
	}
	if _, local, ok := strings.Cut(name, ":"); ok {
		name = strings.TrimPrefix(local, "data-")
	}
	switch {
	case strings.HasPrefix(name, "on"):
		return attrJS
	case name == "style":
		return attrCSS
	case name == "srcset" || name == "imagesrcset":
		return attrSrcset
	case name == "srcdoc":
		return attrHTML
	case name == "content" && element == "meta":
		return attrRefresh
	case element == "animate" || element == "set" || element == "animatetransform" || element == "animatemotion":
		switch name {
		case "to", "from", "by":
			return attrURL // an SVG animation may set a link's address
		case "values":
			return attrSrcset
		}
	case urlAttributes[name] || strings.Contains(name, "src") || strings.Contains(name, "uri") || strings.Contains(name, "url"):
		return attrURL
	}
	return attrPlain
}

// separator is what stands between the URLs of a list.
func (c *escContext) separator() string {
	if strings.HasSuffix(c.name, "values") {
		return ";"
	}
	return ","
}

// A meta element's content is a refresh unless the element has a name.
const (
	metaNamed = "named"
	metaHTTP  = "http-equiv"
)

// beginAttribute is at the "=" of an attribute.
func (c *escContext) beginAttribute() {
	c.attr = kindOf(c.element, c.name)
	if c.element != "meta" {
		return
	}
	switch c.name {
	case "name", "property", "itemprop":
		if c.kind == "" {
			c.kind = metaNamed
		}
	case "http-equiv":
		c.kind = metaHTTP
	case "content":
		if c.kind == metaNamed {
			c.attr = attrPlain
		}
	}
}
