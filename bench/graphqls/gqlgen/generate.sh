#!/bin/sh
# Generates generated.go and models.go from schema.graphql and gqlgen.yml.
set -e
here=$(pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/graphqls/gqlgen"
cp schema.graphql gqlgen.yml "$folder/graphqls/gqlgen"
grep -v -e '^replace ' -e 'ishaa-framework/ishaa v0' ../../go.mod >"$folder/go.mod"
cp ../../go.sum "$folder"
cat >"$folder/imports.go" <<'END'
package bench // what the generated code imports, so that the generator finds it

import (
	_ "github.com/99designs/gqlgen/graphql"
	_ "github.com/99designs/gqlgen/graphql/introspection"
	_ "github.com/vektah/gqlparser/v2"
)
END
cd "$folder/graphqls/gqlgen"
go run github.com/99designs/gqlgen@v0.17.98 generate
cp generated.go models.go "$here"
