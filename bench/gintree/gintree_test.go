package gintree_test

import (
	"fmt"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/ishaa-framework/ishaa/bench/gintree"
	"github.com/ishaa-framework/ishaa/bench/routes"
)

func TestFindsWhatGinFinds(t *testing.T) {
	engine := github()
	tree, err := gintree.Of(engine)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes.GitHub() {
		if got := tree.Find(r.Method, r.Path()); got != r.Colons() {
			t.Errorf("%s %s: found %q, want %q", r.Method, r.Path(), got, r.Colons())
		}
	}
	for _, path := range []string{"/", "/no/such/route", "/users/octocat/nothing"} {
		if got := tree.Find("GET", path); got != "" {
			t.Errorf("%s: found %q, want nothing", path, got)
		}
	}
	if got := tree.Find("TRACE", "/user"); got != "" {
		t.Errorf("TRACE: found %q, want nothing", got)
	}
}

func github() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	for _, r := range routes.GitHub() {
		engine.Handle(r.Method, r.Colons(), func(*gin.Context) {})
	}
	return engine
}

func ExampleOf() {
	tree, err := gintree.Of(github())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tree.Find("GET", "/users/octocat/orgs"))
	// Output: /users/:user/orgs
}
