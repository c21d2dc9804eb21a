package main

import (
	"testing"

	"github.com/ishaa-framework/ishaa/ishaatest"
)

// signIn has a client act as somebody: "ada", "bob" or "root".
func signIn(t *testing.T, client *ishaatest.Client, name string) *ishaatest.Client {
	return client.For(t, ishaatest.Header("Authorization", "Bearer "+name))
}
