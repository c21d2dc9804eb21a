#!/bin/sh
# Holds documents against the tools that people use on them, and calls the running sample API by generated clients:
#
#   openapi/lint/run.sh            # the sample API and the tour
#   openapi/lint/run.sh FILE…      # documents in JSON besides
#
# Needs Go, node, npm and the registries of both. Everything is installed and generated in a temporary folder. Fails on
# any error or warning.
set -eu
lint=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$lint/../.." && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM

cd "$root"
go build -o "$work/sample" ./openapi/internal/sample/program
"$work/sample" openapi >"$work/sample.json"
"$work/sample" openapi -3.0 >"$work/sample30.json"
"$work/sample" openapi -yaml >"$work/sample.yaml"
documents="$work/sample.json $work/sample30.json $work/sample.yaml"
go build -o "$work/tour" ./examples/tour
if ISHAA_DATABASE_URL="sqlite://$work/tour.db" "$work/tour" openapi >"$work/tour.json" 2>/dev/null; then
  documents="$documents $work/tour.json"
else
  echo "the tour does not mount openapi: only the sample API is looked at"
fi
documents="$documents $*"

cd "$work"
cat >package.json <<'JSON'
{"private": true, "type": "module", "dependencies": {
  "@apidevtools/swagger-parser": "13.1.0", "@redocly/cli": "2.77.0", "openapi-fetch": "0.17.0",
  "openapi-typescript": "7.13.0", "typescript": "5.9.3", "@types/node": "20.19.25"}}
JSON
npm install --silent --no-audit --no-fund --loglevel=error
echo 'extends: [recommended]' >redocly.yaml

echo "== redocly"
for document in $documents; do
  npx redocly lint --config redocly.yaml --format=json "$document" >redocly.json 2>redocly.txt || true
  node -e '
    const { totals, problems } = JSON.parse(require("fs").readFileSync("redocly.json"));
    for (const p of problems) console.log(p.severity, p.ruleId, p.message, p.location[0].pointer);
    console.log(process.argv[1] + ": " + totals.errors + " errors, " + totals.warnings + " warnings");
    process.exit(totals.errors + totals.warnings ? 1 : 0);' --input-type=commonjs "$document" || { cat redocly.txt; exit 1; }
done

echo "== swagger-parser"
cat >parse.mjs <<'JS'
import SwaggerParser from "@apidevtools/swagger-parser";
for (const file of process.argv.slice(2)) {
  const api = await SwaggerParser.validate(file);
  console.log(`${file}: OpenAPI ${api.openapi}, ${Object.keys(api.paths).length} paths`);
}
JS
# shellcheck disable=SC2086
node parse.mjs $documents

echo "== libopenapi"
cp -R "$lint" "$work/lint"
# shellcheck disable=SC2086
(cd "$work/lint" && go run ./document $documents)

echo "== clients"
"$work/sample" -addr 127.0.0.1:18181 >server.txt 2>&1 &
server=$!
for _ in $(seq 100); do
  node -e 'fetch("http://127.0.0.1:18181/both").then(() => process.exit(0), () => process.exit(1))' && break
  sleep 0.2
done
npx openapi-typescript sample.json -o generated.ts
cp "$lint/client.ts" client.ts
npx tsc --strict --target es2022 --module nodenext --moduleResolution nodenext --skipLibCheck --allowImportingTsExtensions false \
  --rewriteRelativeImportExtensions false client.ts generated.ts
node client.js http://127.0.0.1:18181
(cd "$work/lint" && rm generated/doc.go &&
  go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -generate types,client -package generated \
    -o generated/client.go "$work/sample30.json" &&
  go run -tags generated ./client http://127.0.0.1:18181)
echo "all of it passes"
