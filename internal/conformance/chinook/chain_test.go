package chinook_test

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/chinook"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

type oracleCase struct {
	chinook.Chain
	Expect any `json:"expect"`
}

// generated are chains with what Django's ORM answers on SQLite.
func generated(t *testing.T, seed, count int) []oracleCase {
	t.Helper()
	python := testenv.PythonWith(t, "django")
	out := filepath.Join(t.TempDir(), "chains.json")
	generator := filepath.Join(testenv.Conformance(t), "orm", "orm_gen.py")
	if text, err := exec.Command(python, generator, strconv.Itoa(seed), strconv.Itoa(count), out).CombinedOutput(); err != nil {
		t.Fatalf("the generator failed: %v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var list []oracleCase
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// same compares what JSON makes of both; computed numbers may differ in the last digits.
func same(got, want any) bool {
	text, err := json.Marshal(got)
	if err != nil {
		return false
	}
	var plain any
	if json.Unmarshal(text, &plain) != nil {
		return false
	}
	if n, ok := want.(int64); ok {
		want = float64(n)
	}
	if a, ok := plain.(float64); ok {
		b, ok := want.(float64)
		return ok && (a == b || math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)))
	}
	expected, _ := json.Marshal(want)
	text, _ = json.Marshal(plain)
	return string(text) == string(expected)
}

// counts is how many chains each seed makes, and how many of them the servers are asked: all of them in the long form.
func counts() (made, served int) {
	if testenv.Long() {
		return 2000, 2000
	}
	return 200, 60
}

// On SQLite every chain answers what Django answers. So it does on PostgreSQL and MariaDB, but for the chains that have
// a lookup with another case rule or sort text by another collation: those answer what the engine's rules make of the
// rows in memory, which is checked against Django as well.
func TestChainsLikeDjango(t *testing.T) {
	made, served := counts()
	db, err := chinook.OpenCopy(filepath.Join(t.TempDir(), "shop.db"), filepath.Join(testenv.Conformance(t), "data", "chinook.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var cases, forServers []oracleCase
	for seed := 1; seed <= 5; seed++ {
		list := generated(t, seed, made)
		cases, forServers = append(cases, list...), append(forServers, list[:served]...)
	}
	all := load(t, db)
	t.Run("sqlite", func(t *testing.T) {
		exactly := 0
		for i, c := range cases {
			if check(t, db, i, c, c.Expect) {
				exactly++
			}
		}
		t.Logf("%d of %d chains are equal to Django's", exactly, len(cases))
	})
	t.Run("in memory", func(t *testing.T) {
		for i, c := range forServers {
			if got := sqliteRules.answer(t, all, c.Chain); !same(got, c.Expect) {
				chain, _ := json.Marshal(c)
				t.Errorf("chain %d: %s\ngot %v", i, chain, got)
			}
		}
	})
	servers := []struct {
		engine ormtest.Engine
		rules  rules
	}{
		{ormtest.Postgres, rules{caseMatters: true, fold: strings.ToLower, differs: func(c chinook.Chain) bool { return textLookup(c) || textOrder(c) }}},
		{ormtest.MySQL, rules{caseMatters: true, fold: strings.ToLower, compare: strings.Compare, differs: textLookup}},
	}
	for _, s := range servers {
		t.Run(string(s.engine), func(t *testing.T) {
			server := ormtest.New(t, s.engine)
			if err := chinook.Copy(t.Context(), server, db); err != nil {
				t.Fatal(err)
			}
			if s.rules.compare == nil {
				s.rules.compare = collation(t, server, all, forServers)
			}
			exactly, byRule, different := 0, 0, 0
			for i, c := range forServers {
				if !s.rules.differs(c.Chain) {
					if check(t, server, i, c, c.Expect) {
						exactly++
					}
					continue
				}
				want := s.rules.answer(t, all, c.Chain)
				if check(t, server, i, c, want) {
					byRule++
				}
				if !same(want, c.Expect) {
					different++
				}
			}
			t.Logf("%d of %d chains are equal to Django's on SQLite; %d with text lookups or text order are equal to the engine's rules, %d of them another answer than SQLite's",
				exactly, len(forServers), byRule, different)
		})
	}
}

func check(t *testing.T, db *orm.DB, i int, c oracleCase, want any) bool {
	t.Helper()
	got, err := chinook.Run(t.Context(), db, c.Chain)
	if err == nil && same(got, want) {
		return true
	}
	chain, _ := json.Marshal(c)
	wanted, _ := json.Marshal(want)
	t.Errorf("chain %d: %s\ngot %v, %v\nwant %s", i, chain, got, err, wanted)
	return false
}
