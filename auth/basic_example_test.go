package auth_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
)

func ExampleBasic() {
	hasher := auth.NewHasher()
	hash, err := hasher.Hash("correct horse battery")
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := auth.NewBasic("metrics", auth.PasswordsOf(hasher, map[string]string{"ann": hash}))

	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Get("/metrics", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("for " + auth.Who(r).Subject), nil
	}, auth.LoginRequired(guard))

	for _, password := range []string{"a guess", "correct horse battery"} {
		r := httptest.NewRequest("GET", "https://shop.example/metrics", nil)
		r.SetBasicAuth("ann", password)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 401 Basic realm="metrics", charset="UTF-8"
	// 200
}
