package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// keyTable is the program's own table of keys.
type keyTable struct {
	rows  map[string]*APIKey
	asked int
	err   error
}

func (k *keyTable) find(_ context.Context, id string) (*APIKey, error) {
	k.asked++
	return k.rows[id], k.err
}

func TestAPIKeys(t *testing.T) {
	table := &keyTable{rows: map[string]*APIKey{}}
	keys := NewAPIKeys("shop", table.find)
	add := func(change func(*APIKey)) string {
		text, stored := keys.New()
		stored.Subject = "ann"
		change(&stored)
		table.rows[stored.ID] = &stored
		return text
	}
	reader := add(func(k *APIKey) { k.Scopes = []string{"orders:read"} })
	writer := add(func(k *APIKey) { k.Scopes = []string{"orders:read", "orders:write"} })
	expired := add(func(k *APIKey) { k.Expires = start })
	fresh := add(func(k *APIKey) { k.Expires = start.Add(time.Second) })
	odd := add(func(k *APIKey) { k.Hash = "" })

	app := ishaa.New("shop")
	app.SetClock(clockAt(start))
	app.Get("/orders", func(r *ishaa.Request) (any, error) {
		key, err := User[*APIKey](r)
		if err != nil {
			return nil, err
		}
		return ishaa.Text(Who(r).Subject + " " + fmt.Sprint(key.Scopes)), nil
	}, LoginRequired(keys))
	write := app.Post("/orders", func(r *ishaa.Request) (any, error) { return nil, nil }, LoginRequired(keys), RoleRequired("orders:write"))
	client := ishaatest.New(t, app)
	with := func(key string) ishaatest.Setting { return ishaatest.Header("X-API-Key", key) }

	client.Get("/orders", with(reader)).Status(200).Contains("ann [orders:read]")
	client.Post("/orders", with(reader)).Problem(403)
	client.Post("/orders", with(writer)).Status(204)
	client.Get("/orders", with(fresh)).Status(200)
	res := client.Get("/orders")
	res.Problem(401)
	if got := res.Headers().Get("WWW-Authenticate"); got != `ApiKey header="X-API-Key"` {
		t.Errorf("the challenge is %q", got)
	}
	scheme, _ := ishaa.SecurityScheme.Of(write)
	if len(scheme) != 1 || scheme[0].Type != "apiKey" || scheme[0].In != "header" || scheme[0].Parameter != "X-API-Key" || fmt.Sprint(scheme[0].Scopes) != "[orders:write]" {
		t.Errorf("the scheme is %+v", scheme)
	}

	id := strings.Split(reader, "_")[1]
	other, _ := keys.New()
	refused := map[string]string{
		"unknown":                 other,
		"expired":                 expired,
		"without a hash":          odd,
		"empty":                   "",
		"the id alone":            "shop_" + id,
		"cut":                     reader[:len(reader)-1],
		"longer":                  reader + "a",
		"a letter changed":        flip(reader, len(reader)-20),
		"the check sum":           flip(reader, len(reader)-1),
		"the id":                  flip(reader, 7),
		"another prefix":          "shap" + reader[4:],
		"capitals":                strings.ToUpper(reader),
		"the secret of another":   "shop_" + id + writer[strings.LastIndex(writer, "_"):],
		"another, with check sum": "shop_" + id + "_" + strings.Repeat("a", 32) + keys.checkSum(id, strings.Repeat("a", 32)),
		"the hash":                "shop_" + id + "_" + table.rows[id].Hash,
		"huge":                    strings.Repeat("shop_", 10_000),
	}
	for name, key := range refused {
		t.Run(name, func(t *testing.T) {
			res := client.For(t).Get("/orders", with(key))
			if name == "huge" {
				if res.Code() != 401 && res.Code() != 431 {
					t.Errorf("status %d", res.Code())
				}
				return
			}
			problem := res.Problem(401).ProblemDocument()
			if problem.Detail != "the API key is not valid" || res.Headers().Get("WWW-Authenticate") == "" {
				t.Errorf("it says %q", problem.Detail)
			}
		})
	}
	client.Get("/orders", ishaatest.Header("X-API-Key", reader, reader)).Problem(400)
	client.Get("/orders", ishaatest.Header("Authorization", "Bearer "+reader)).Problem(401)
	client.Get("/orders?api_key=" + reader).Problem(401)

	asked := table.asked
	client.Get("/orders", with(flip(reader, len(reader)-1))).Problem(401)
	if table.asked != asked {
		t.Error("what is no key is looked up")
	}
	delete(table.rows, id)
	client.Get("/orders", with(reader)).Problem(401) // revoked
	table.err = errors.New("the table is away")
	client.Get("/orders", with(reader)).Problem(500)
}

// flip changes one letter.
func flip(text string, i int) string {
	c := byte('a')
	if text[i] == c {
		c = 'b'
	}
	return text[:i] + string(c) + text[i+1:]
}

func TestAPIKeyInAuthorization(t *testing.T) {
	var row APIKey
	keys := NewAPIKeys("shop_live", func(context.Context, string) (*APIKey, error) { return &row, nil }, APIKeyOptions{Header: "authorization"})
	var text string
	text, row = keys.New()
	row.Value = "mine"
	app := ishaa.New("shop")
	app.Get("/", func(r *ishaa.Request) (any, error) {
		value, err := User[string](r)
		return ishaa.Text(value), err
	}, LoginRequired(keys))
	client := ishaatest.New(t, app)
	client.Get("/", ishaatest.BearerToken(text)).Status(200).Contains("mine")
	client.Get("/", ishaatest.Header("Authorization", "bearer  "+text)).Status(200)
	client.Get("/", ishaatest.Header("Authorization", "Basic "+text)).Problem(401)
	res := client.Get("/", ishaatest.BearerToken("x"))
	res.Problem(401)
	if got := res.Headers().Get("WWW-Authenticate"); got != `Bearer realm="API key"` {
		t.Errorf("the challenge is %q", got)
	}
	if got := keys.Security(); got.Scheme != "bearer" {
		t.Errorf("the scheme is %+v", got)
	}
	if !strings.HasPrefix(text, "shop_live_") {
		t.Errorf("the key is %s", text)
	}
}

func TestAPIKeysAreNotShown(t *testing.T) {
	keys := NewAPIKeys("shop", (&keyTable{}).find)
	seen := map[string]bool{}
	for range 1000 {
		text, stored := keys.New()
		if seen[text] || seen[stored.ID] || len(text) != len("shop_")+13+1+39 {
			t.Fatalf("the key %s", text)
		}
		seen[text], seen[stored.ID] = true, true
		id, secret, ok := keys.split(text)
		if !ok || id != stored.ID || strings.Contains(stored.Hash, secret) {
			t.Fatalf("%s is split into %s and %s", text, id, secret)
		}
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			if shown := fmt.Sprintf(verb, stored) + fmt.Sprintf(verb, &stored); strings.Contains(shown, stored.Hash) || strings.Contains(shown, secret) {
				t.Fatalf("%s shows %s", verb, shown)
			}
		}
	}
	for _, prefix := range []string{"", "Shop", "a-b", strings.Repeat("a", 21)} {
		mustContain(t, panicText(func() { NewAPIKeys(prefix, (&keyTable{}).find) }), "prefix")
	}
	mustContain(t, panicText(func() { NewAPIKeys("a", nil) }), "nil")
	mustContain(t, panicText(func() { NewAPIKeys("a", (&keyTable{}).find, APIKeyOptions{Header: "cookie"}) }), "intent")
}

func FuzzAPIKey(f *testing.F) {
	keys := NewAPIKeys("shop", (&keyTable{}).find)
	text, _ := keys.New()
	f.Add(text)
	f.Add("shop_")
	f.Fuzz(func(t *testing.T, text string) {
		id, secret, ok := keys.split(text)
		if ok && "shop_"+id+"_"+secret+keys.checkSum(id, secret) != text {
			t.Errorf("%q is split into %q and %q", text, id, secret)
		}
	})
}
