//go:build unix

package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestQueryChains(t *testing.T) {
	shop := filepath.Join(testenv.Conformance(t), "data", "chinook.sqlite")
	base := start(t, "-chinook", shop).URL("http")
	for name, c := range map[string]struct {
		body, want string
		status     int
	}{
		"keys":            {`{"model": "Genre", "ops": [["filter", {"name__startswith": "R"}], ["order_by", ["-name"]]], "terminal": "pks"}`, `{"result":[5,1,8,14]}`, 200},
		"count":           {`{"model": "Track", "ops": [["filter", {"album__artist__name": "AC/DC"}]], "terminal": "count"}`, `{"result":18}`, 200},
		"exists":          {`{"model": "Customer", "ops": [["filter", {"email__iexact": "X"}]], "terminal": "exists"}`, `{"result":false}`, 200},
		"nothing":         {`{"model": "Customer", "ops": [["filter", {"id__in": []}]], "terminal": "first"}`, `{"result":null}`, 200},
		"a sum":           {`{"model": "Invoice", "ops": [["exclude", {"customer__country": "USA"}]], "terminal": "sum", "field": "id"}`, `{"result":`, 200},
		"values":          {`{"model": "Artist", "ops": [["order_by", ["id"]], ["limit", 2], ["offset", 1]], "terminal": "values", "field": "name"}`, `{"result":["Accept","Aerosmith"]}`, 200},
		"a wrong field":   {`{"model": "Artist", "ops": [["filter", {"nmae": "x"}]], "terminal": "count"}`, `{"error":"orm: Artist has no field \"nmae\"; did you mean \"name\"?"}`, 200},
		"a wrong model":   {`{"model": "Label", "ops": [], "terminal": "count"}`, `{"error":"there is no model \"Label\""}`, 200},
		"a wrong step":    {`{"model": "Genre", "ops": [["join", {}]], "terminal": "count"}`, `{"error":"there is no operation \"join\""}`, 200},
		"a wrong outcome": {`{"model": "Genre", "ops": [], "terminal": "median"}`, `{"error":"there is no terminal \"median\""}`, 200},
		"no JSON":         {`x`, `"status":400`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest("POST", base+"/_x/query", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			if res := do(t, client(), req); res.StatusCode != c.status || !strings.Contains(res.body, c.want) {
				t.Errorf("%d %s\nwant %d %s", res.StatusCode, res.body, c.status, c.want)
			}
		})
	}
}

func TestQueryWithoutTheShop(t *testing.T) {
	base := start(t, "-chinook", "nowhere.sqlite").URL("http")
	req, err := http.NewRequest("POST", base+"/_x/query", strings.NewReader(`{"model": "Genre", "ops": [], "terminal": "count"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if res := do(t, client(), req); !strings.Contains(res.body, "-chinook") {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
}
