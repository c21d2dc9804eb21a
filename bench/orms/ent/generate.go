// Package ent is what ent generates for the one row of package orms.
package ent

//go:generate go run -mod=mod entgo.io/ent/cmd/ent generate ./schema
//go:generate rm -r enttest hook
