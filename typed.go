package ishaa

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/jsonenc"
)

// Typed handlers are service methods: a struct in, a value or an error out, and
// nothing of HTTP in between.
//
//	func (s *Shop) CreateOrder(ctx context.Context, in *NewOrder) (*Order, error)
//
//	ishaa.Post(app, "/customers/<int:id>/orders", shop.CreateOrder)

// TypedHandler is the function behind a typed route.
type TypedHandler[In, Out any] = func(ctx context.Context, in *In) (Out, error)

// Get registers a typed handler for GET. The tags of In's fields say where each
// comes from: path, query, header, cookie, form, file, body; a field named Body is
// the body. Untagged pointers are dependencies or what the application provides.
// What does not fit is answered by 422 before the handler runs.
//
// Out is encoded as any returned value is; a nil pointer is 204. A struct with
// fields tagged status, header or cookie beside a field Body sets those too.
//
// A tag that does not fit the pattern or its type stops the program with file and
// line.
func Get[In, Out any](r Router, pattern string, fn TypedHandler[In, Out], options ...RouteOption) *Route {
	return typed(r, []string{"GET"}, pattern, fn, options)
}

// Post registers a typed handler for POST; see Get.
func Post[In, Out any](r Router, pattern string, fn TypedHandler[In, Out], options ...RouteOption) *Route {
	return typed(r, []string{"POST"}, pattern, fn, options)
}

// Put registers a typed handler for PUT; see Get.
func Put[In, Out any](r Router, pattern string, fn TypedHandler[In, Out], options ...RouteOption) *Route {
	return typed(r, []string{"PUT"}, pattern, fn, options)
}

// Patch registers a typed handler for PATCH; see Get.
func Patch[In, Out any](r Router, pattern string, fn TypedHandler[In, Out], options ...RouteOption) *Route {
	return typed(r, []string{"PATCH"}, pattern, fn, options)
}

// Delete registers a typed handler for DELETE; see Get.
func Delete[In, Out any](r Router, pattern string, fn TypedHandler[In, Out], options ...RouteOption) *Route {
	return typed(r, []string{"DELETE"}, pattern, fn, options)
}

// Any registers a typed handler for every method that has none of its own; see Get.
func Any[In, Out any](r Router, pattern string, fn TypedHandler[In, Out], options ...RouteOption) *Route {
	return typed(r, nil, pattern, fn, options)
}

func typed[In, Out any](r Router, methods []string, pattern string, fn TypedHandler[In, Out], options []RouteOption) *Route {
	g := r.router()
	route := &Route{
		group: g, text: pattern, methods: methods, options: options, source: callerOutside(),
		input: reflect.TypeFor[In](), output: reflect.TypeFor[Out](), typed: fn,
	}
	if fn != nil {
		route.handler = func(*Request) (any, error) { return nil, errors.New("the route is not in a table yet") }
	}
	route.prepare = func(a *App) error {
		handler, err := typedHandler(a, route, fn)
		if err == nil {
			route.handler = handler
		}
		return err
	}
	if err := g.add(route); err != nil {
		panic(fmt.Sprintf("%s: route %q: %v", route.source, pattern, err))
	}
	return route
}

// typedHandler plans the binding and the encoding once.
func typedHandler[In, Out any](a *App, route *Route, fn TypedHandler[In, Out]) (Handler, error) {
	if route.input.Kind() != reflect.Struct {
		return nil, fmt.Errorf("the input %s is not a struct; put what the handler needs into one", route.input)
	}
	plan, err := a.planFields(route.input, nil)
	if err == nil {
		err = plan.fits(route)
	}
	if err != nil {
		return nil, err
	}
	route.binds = plan
	out, err := a.planOutput(route.output)
	if err != nil {
		return nil, err
	}
	route.encode, route.direct = out.encode, out.encode != nil && certainlyJSON(route.output)
	a.checks = append(a.checks, func() error {
		if err := plan.lookUp(a); err != nil {
			return fmt.Errorf("%s: route %s: %w", route.source, route, err)
		}
		return nil
	})
	return func(r *Request) (any, error) {
		in := new(In)
		if err := plan.bind(r, reflect.ValueOf(in).Elem()); err != nil {
			return nil, err
		}
		value, err := fn(r.Context(), in)
		if err != nil {
			return nil, err
		}
		if out.plain {
			return value, nil
		}
		return out.answer(r, value)
	}, nil
}

// outputPlan says how a typed handler's value is answered.
type outputPlan struct {
	plain    bool // as any value
	nilable  bool // nil is 204
	empty    bool // struct{}: 204
	envelope *envelope
	encode   jsonenc.Encoder // where the value becomes JSON
}

// envelope is a struct that sets status, headers and cookies beside its body.
type envelope struct {
	status   int // index of the field, -1 without
	fallback int // status when the field is zero
	headers  []envelopeHeader
	cookies  []int
	body     int // index of the field, -1 without
}

type envelopeHeader struct {
	index int
	name  string
}

var (
	responderType = reflect.TypeFor[Responder]()
	readerType    = reflect.TypeFor[io.Reader]()
	cookieType    = reflect.TypeFor[*http.Cookie]()
	responseType  = reflect.TypeFor[*Response]()
)

func (a *App) planOutput(t reflect.Type) (*outputPlan, error) {
	plan := &outputPlan{}
	switch kind := t.Kind(); {
	case t == reflect.TypeFor[struct{}]():
		plan.empty = true
		return plan, nil
	case kind == reflect.Pointer:
		plan.nilable = true
	}
	structType := t
	if t.Kind() == reflect.Pointer {
		structType = t.Elem()
	}
	if t.Implements(responderType) || t == responseType {
		return plan, nil
	}
	if structType.Kind() == reflect.Struct {
		var err error
		if plan.envelope, err = planEnvelope(structType); err != nil {
			return nil, err
		}
	}
	if plan.envelope == nil {
		plan.plain = !plan.nilable
		if encodesAsJSON(t) {
			plan.encode = jsonenc.Of(t)
			if _, err := a.schemas.Of(t); err != nil {
				return nil, fmt.Errorf("the output %s cannot be encoded: %w", t, err)
			}
		}
	}
	return plan, nil
}

// encodesAsJSON reports whether a value of the type certainly becomes JSON, so
// that its type is worth checking when the program starts.
func encodesAsJSON(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Func, reflect.Interface:
		return false
	}
	return !t.Implements(readerType) && t != reflect.TypeFor[[]byte]()
}

// certainlyJSON reports whether a value of a type that encodesAsJSON is nothing else
// that an answer may be, nil pointers aside.
func certainlyJSON(t reflect.Type) bool {
	structType := t
	if t.Kind() == reflect.Pointer {
		structType = t.Elem()
	}
	return structType.Kind() == reflect.Struct && !t.Implements(errorType)
}

// planEnvelope recognises a struct that has a status, header or cookie tag, or a
// body tag.
func planEnvelope(t reflect.Type) (*envelope, error) {
	e := &envelope{status: -1, body: -1}
	found := false
	for i := range t.NumField() {
		field := t.Field(i)
		tagged, err := e.planField(i, field)
		if err != nil {
			return nil, fmt.Errorf("field %s.%s: %w", t, field.Name, err)
		}
		found = found || tagged
		if field.Name == "Body" || hasTag(field, "body") {
			e.body = i
		}
	}
	if !found {
		return nil, nil
	}
	for i := range t.NumField() {
		if field := t.Field(i); i != e.body && !hasTag(field, "status") && !hasTag(field, "header") && !hasTag(field, "cookie") {
			return nil, fmt.Errorf("field %s.%s: a struct that sets status, headers or cookies holds the rest in a field Body", t, field.Name)
		}
	}
	return e, nil
}

func hasTag(field reflect.StructField, name string) bool {
	_, ok := field.Tag.Lookup(name)
	return ok
}

func (e *envelope) planField(i int, field reflect.StructField) (tagged bool, err error) {
	if text, ok := field.Tag.Lookup("status"); ok {
		first, _, _ := strings.Cut(text, ",")
		if e.fallback, err = strconv.Atoi(first); err != nil || e.fallback < 200 || e.fallback > 599 {
			return false, fmt.Errorf("status:%q is not a list of statuses from 200 to 599, the usual one first", text)
		}
		if field.Type.Kind() != reflect.Int {
			return false, fmt.Errorf("a status is an int, not a %s", field.Type)
		}
		e.status = i
		return true, nil
	}
	if name, ok := field.Tag.Lookup("header"); ok {
		if name == "" {
			return false, errors.New("its tag header is empty; write header:\"Name\"")
		}
		e.headers = append(e.headers, envelopeHeader{i, http.CanonicalHeaderKey(name)})
		return true, nil
	}
	if hasTag(field, "cookie") {
		if field.Type != cookieType {
			return false, fmt.Errorf("a cookie is a *http.Cookie, not a %s", field.Type)
		}
		e.cookies = append(e.cookies, i)
		return true, nil
	}
	return false, nil
}

// answer turns the handler's value into what a Handler returns.
func (p *outputPlan) answer(r *Request, out any) (any, error) {
	value := reflect.ValueOf(out)
	switch {
	case p.empty || p.nilable && value.IsNil():
		return NoContent, nil
	case p.envelope == nil:
		return out, nil
	case p.nilable:
		value = value.Elem()
	}
	return p.envelope.open(r.res, value)
}

func (e *envelope) open(res *Response, value reflect.Value) (any, error) {
	if e.status >= 0 {
		status := int(value.Field(e.status).Int())
		if status == 0 {
			status = e.fallback
		}
		res.SetStatus(status)
	}
	for _, h := range e.headers {
		field := value.Field(h.index)
		if field.IsZero() {
			continue
		}
		text, err := urlText(field.Interface())
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.name, err)
		}
		res.Header().Set(h.name, text)
	}
	for _, i := range e.cookies {
		if cookie := value.Field(i).Interface().(*http.Cookie); cookie != nil {
			res.SetCookie(cookie)
		}
	}
	if e.body < 0 {
		return nil, nil
	}
	body := value.Field(e.body)
	if body.Kind() == reflect.Pointer && body.IsNil() {
		return nil, nil
	}
	return body.Interface(), nil
}

// Status sets the status that a route answers with when its handler sets none,
// such as 201 for one that creates.
func Status(status int) RouteOption {
	return optionFunc(func(route *Route) error {
		if status < 200 || status > 599 {
			return fmt.Errorf("ishaa.Status(%d): an answer's status is from 200 to 599", status)
		}
		route.status = status
		return nil
	})
}
