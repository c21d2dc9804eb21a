// Calls the sample API by the types that openapi-typescript made of its document.
import createClient from "openapi-fetch";
import type { paths } from "./generated.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });

function expect(condition: boolean, what: string, seen: unknown) {
  if (!condition) {
    console.error(`${what}: ${JSON.stringify(seen)}`);
    process.exit(1);
  }
}

const found = await client.GET("/api/things", { params: { query: { page: 7, word: "blue" } } });
expect(found.data?.total === 7, "search", found);

const refused = await client.GET("/api/things", { params: { query: { word: "b" } } });
expect(refused.error?.status === 422 && refused.error.errors !== undefined, "a word that is too short", refused.error);

const put = await client.PUT("/api/things/items/{id}", {
  params: { path: { id: "123e4567-e89b-12d3-a456-426614174000" } },
  body: { street: "A", city: "B" },
});
expect(put.data?.city === "B", "put", put);

const shape = await client.POST("/api/things/shapes", { body: { kind: "circle", radius: 2 } });
expect(shape.data?.kind === "circle" && shape.data.radius === 2, "shape", shape);

console.log("the TypeScript client was answered as the document says");
