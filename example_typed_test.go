package ishaa_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// sendJSON does a request with a JSON body and prints status and answer.
func sendJSON(app http.Handler, method, target, body string, header ...string) {
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, req)
	fmt.Println(w.Code, w.Body)
}

type shop struct{ orders int }

type newOrder struct {
	Customer int    `path:"id"`
	Coupon   string `query:"coupon" maxLength:"12"`
	Body     struct {
		Items []orderItem `json:"items" minItems:"1" required:"true"`
	}
}

type orderItem struct {
	Track    int `json:"track" minimum:"1" required:"true"`
	Quantity int `json:"quantity" minimum:"1" default:"1"`
}

type order struct {
	ID       int         `json:"id"`
	Customer int         `json:"customer"`
	Items    []orderItem `json:"items"`
}

func (s *shop) createOrder(_ context.Context, in *newOrder) (*order, error) {
	if in.Customer != 7 {
		return nil, ishaa.NotFound("there is no customer %d", in.Customer)
	}
	s.orders++
	return &order{ID: s.orders, Customer: in.Customer, Items: in.Body.Items}, nil
}

// A typed handler is a service method: what it needs is a struct whose tags say
// where each part comes from, and nothing in it is HTTP.
func ExamplePost() {
	app := ishaa.New("shop", quiet)
	ishaa.Post(app, "/customers/<int:id>/orders", new(shop).createOrder, ishaa.Status(201))

	sendJSON(app, "POST", "/customers/7/orders", `{"items": [{"track": 3}]}`)
	sendJSON(app, "POST", "/customers/7/orders?coupon=this-is-too-long", `{"items": [{"track": 0}]}`)
	sendJSON(app, "POST", "/customers/8/orders", `{"items": [{"track": 3}]}`)
	// Output:
	// 201 {"id":1,"customer":7,"items":[{"track":3,"quantity":1}]}
	// 422 {"title":"Unprocessable Entity","status":422,"detail":"2 values do not fit","errors":[{"pointer":"/coupon","in":"query","rule":"maxLength","message":"must be at most 12 characters long","value":"this-is-too-long"},{"pointer":"/items/0/track","in":"body","rule":"minimum","message":"must be at least 1","value":0}]}
	// 404 {"title":"Not Found","status":404,"detail":"there is no customer 8"}
}

// accounts is what the application provides.
type accounts map[string]string

// signedIn is a dependency: it is bound like an input, resolved once for each
// request, and used by whoever has a field of its type.
type signedIn struct {
	Token    string    `header:"Authorization"`
	Accounts *accounts // from ishaa.Provide
	Name     string    `bind:"-"`
}

func (u *signedIn) Resolve(context.Context) error {
	name, ok := (*u.Accounts)[strings.TrimPrefix(u.Token, "Bearer ")]
	if !ok {
		return ishaa.Unauthorized("sign in first").WithHeader("WWW-Authenticate", "Bearer")
	}
	u.Name = name
	return nil
}

func ExampleProvide() {
	app := ishaa.New("shop", quiet)
	ishaa.Provide(app, &accounts{"t0k3n": "Ada"})

	type input struct{ User *signedIn }
	ishaa.Get(app, "/me", func(_ context.Context, in *input) (string, error) { return in.User.Name, nil })
	app.Get("/untyped", func(r *ishaa.Request) (any, error) {
		user, err := ishaa.Resolve[signedIn](r)
		if err != nil {
			return nil, err
		}
		return user.Name, nil
	})

	sendJSON(app, "GET", "/me", "", "Authorization", "Bearer t0k3n")
	sendJSON(app, "GET", "/untyped", "", "Authorization", "Bearer t0k3n")
	sendJSON(app, "GET", "/me", "")
	// Output:
	// 200 Ada
	// 200 Ada
	// 401 {"title":"Unauthorized","status":401,"detail":"sign in first"}
}
