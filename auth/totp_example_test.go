package auth_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/store"
)

func ExampleTOTP() {
	ctx := context.Background()
	totp := auth.NewTOTP(store.NewMemory(store.MemoryOptions{}), auth.TOTPOptions{Issuer: "Shop"})

	secret := totp.NewSecret() // kept with the account
	uri, err := totp.URI(secret, "ann@shop.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(uri, "otpauth://totp/Shop:ann%40shop.example?secret="))

	code, _ := totp.Code(secret, time.Now()) // what the app shows
	fmt.Println(totp.Verify(ctx, "ann", secret, code))
	fmt.Println(totp.Verify(ctx, "ann", secret, code)) // once is enough
	// Output:
	// true
	// true <nil>
	// false <nil>
}

func ExampleNewRecoveryCodes() {
	codes, stored := auth.NewRecoveryCodes() // the codes are shown once
	fmt.Println(stored.Use(codes[0]), stored.Use(codes[0]), stored.Left())
	// Output: true false 9
}
