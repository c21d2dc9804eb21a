// Package gqlgen is what gqlgen generates for the schema of package graphqls.
//
// Its generator needs modules that the comparison does not, so it runs in a folder that is thrown away: a module of the
// same name, which has the same requirements but for Ishaa, and the two files it reads.
package gqlgen

//go:generate sh generate.sh
