package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/ishaa-framework/ishaa/server"
)

func Example() {
	s := &server.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "Hello, %s!", r.URL.Query().Get("name"))
		}),
		ReadHeaderTimeout: 5 * time.Second,
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- s.Serve(l) }()

	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("http://" + l.Addr().String() + "/?name=Ada")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	fmt.Println(string(body), answer.ContentLength, err)

	fmt.Println(s.Shutdown(context.Background()))
	fmt.Println(<-served)
	// Output:
	// Hello, Ada! 11 <nil>
	// <nil>
	// http: Server closed
}
