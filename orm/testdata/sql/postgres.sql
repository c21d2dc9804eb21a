-- filter int8__exact
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" = $1;
    int64(1)

-- filter int8__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" <> $1;
    int64(1)

-- filter int8__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" > $1;
    int64(1)

-- filter int8__gte
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" >= $1;
    int64(1)

-- filter int8__lt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" < $1;
    int64(1)

-- filter int8__lte
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" <= $1;
    int64(1)

-- filter text__iexact
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text ILIKE $1;
    string(a\%\_!\\x)

-- filter text__contains
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text LIKE $1;
    string(%a\%\_!\\x%)

-- filter text__icontains
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text ILIKE $1;
    string(%a\%\_!\\x%)

-- filter text__startswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text LIKE $1;
    string(a\%\_!\\x%)

-- filter text__istartswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text ILIKE $1;
    string(a\%\_!\\x%)

-- filter text__endswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text LIKE $1;
    string(%a\%\_!\\x)

-- filter text__iendswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text ILIKE $1;
    string(%a\%\_!\\x)

-- filter text__like
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text LIKE $1;
    string(a%_!\x)

-- filter text__ilike
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text ILIKE $1;
    string(a%_!\x)

-- filter text__regex
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text ~ $1;
    string(a%_!\x)

-- filter text__iregex
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text"::text ~* $1;
    string(a%_!\x)

-- filter int_n__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int_n" <> $1 OR "samples"."int_n" IS NULL);
    int64(1)

-- filter int_n
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int_n" IS NULL;

-- filter int_n__isnull
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int_n" IS NOT NULL;

-- filter int8__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" IN ($1, $2);
    int64(1) int64(2)

-- filter int_n__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int_n" IN ($1) OR "samples"."int_n" IS NULL);
    int64(1)

-- filter int_n__notin
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int_n" NOT IN ($1) OR "samples"."int_n" IS NULL);
    int64(1)

-- filter int_n__notin
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int_n" NOT IN ($1);
    int64(1)

-- filter int8__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE 1 = 0;

-- filter int8__range
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" BETWEEN $1 AND $2;
    int64(1) int64(2)

-- filter price__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."price" > $1;
    string(1.50)

-- filter at__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."at" > $1;
    string(2024-02-29T12:30:15.5Z)

-- filter uuid
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."uuid" = $1;
    string(07000000-0000-0000-0000-000000000007)

-- filter took__lt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."took" < $1;
    int64(1000000000)

-- filter bool
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."bool" = $1;
    bool(true)

-- filter bytes
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."bytes" = $1;
    []uint8([1 2])

-- filter at__year
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."at" >= $1 AND "samples"."at" < $2);
    string(2024-01-01T00:00:00Z) string(2025-01-01T00:00:00Z)

-- filter at__year__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE trunc(EXTRACT(YEAR FROM "samples"."at" AT TIME ZONE 'UTC'))::integer IN ($1);
    int64(2024)

-- filter at_n__date__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."at_n" < $1 OR "samples"."at_n" >= $2 OR "samples"."at_n" IS NULL);
    string(2024-02-29T00:00:00Z) string(2024-03-01T00:00:00Z)

-- filter at__month
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE trunc(EXTRACT(MONTH FROM "samples"."at" AT TIME ZONE 'UTC'))::integer = $1;
    int64(1)

-- filter at__day
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE trunc(EXTRACT(DAY FROM "samples"."at" AT TIME ZONE 'UTC'))::integer = $1;
    int64(1)

-- filter at__hour
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE trunc(EXTRACT(HOUR FROM "samples"."at" AT TIME ZONE 'UTC'))::integer = $1;
    int64(1)

-- filter at__minute
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE trunc(EXTRACT(MINUTE FROM "samples"."at" AT TIME ZONE 'UTC'))::integer = $1;
    int64(1)

-- filter at__second
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE trunc(EXTRACT(SECOND FROM "samples"."at" AT TIME ZONE 'UTC'))::integer = $1;
    int64(1)

-- filter at__weekday
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE trunc(EXTRACT(DOW FROM "samples"."at" AT TIME ZONE 'UTC'))::integer = $1;
    int64(1)

-- filter meta__city
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $1::text)::jsonpath, '{}', true)) = 'string' AND (jsonb_path_query_first("samples"."meta", ('strict ' || $2::text)::jsonpath, '{}', true) #>> '{}') = $3);
    string($."city") string($."city") string(Bonn)

-- filter meta__a__0__b
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $1::text)::jsonpath, '{}', true)) = 'number' AND jsonb_path_query_first("samples"."meta", ('strict ' || $2::text)::jsonpath, '{}', true) = $3::text::jsonb);
    string($."a"[0]."b") string($."a"[0]."b") string(5)

-- filter meta__ok__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ((jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $1::text)::jsonpath, '{}', true)) = 'boolean' AND (jsonb_path_query_first("samples"."meta", ('strict ' || $2::text)::jsonpath, '{}', true) #>> '{}') = 'true')) IS NOT TRUE;
    string($."ok") string($."ok")

-- filter meta__n__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $1::text)::jsonpath, '{}', true)) = 'number' AND jsonb_path_query_first("samples"."meta", ('strict ' || $2::text)::jsonpath, '{}', true) > $3::text::jsonb);
    string($."n") string($."n") string(1.5)

-- filter meta__n__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ((jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $1::text)::jsonpath, '{}', true)) = 'number' AND jsonb_path_query_first("samples"."meta", ('strict ' || $2::text)::jsonpath, '{}', true) = $3::text::jsonb) OR (jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $4::text)::jsonpath, '{}', true)) = 'string' AND (jsonb_path_query_first("samples"."meta", ('strict ' || $5::text)::jsonpath, '{}', true) #>> '{}') = $6) OR COALESCE(jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $7::text)::jsonpath, '{}', true)), 'null') = 'null');
    string($."n") string($."n") string(1) string($."n") string($."n") string(x) string($."n")

-- filter meta__x__isnull
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE COALESCE(jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $1::text)::jsonpath, '{}', true)), 'null') = 'null';
    string($."x")

-- filter meta__city__icontains
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (jsonb_typeof(jsonb_path_query_first("samples"."meta", ('strict ' || $1::text)::jsonpath, '{}', true)) = 'string' AND (jsonb_path_query_first("samples"."meta", ('strict ' || $2::text)::jsonpath, '{}', true) #>> '{}')::text ILIKE $3);
    string($."city") string($."city") string(%o%)

-- filter or
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."label" = $1 OR "samples"."label" = $2 AND "samples"."int8" = $3);
    string(a) string(b) int64(1)

-- filter not
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (("samples"."label" = $1 AND "samples"."int8" = $2)) IS NOT TRUE;
    string(a) int64(1)

-- filter nothing
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE 1 = 0;

-- filter expression
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (("samples"."int8" + $1::bigint) * $2::bigint) > $3::bigint;
    int64(1) int64(2) int64(3)

-- filter expression ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (("samples"."int8" + $1::bigint) <> $2::bigint OR ("samples"."int8" + $1::bigint) IS NULL);
    int64(1) int64(3)

-- filter whole division
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int8" / NULLIF($1::bigint, 0)) = $2::bigint;
    int64(2) int64(1)

-- filter division
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."price" / NULLIF($1::text::numeric, 0)) < $2::text::numeric;
    string(2.5) string(1.25)

-- filter unsigned
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."uint8" - $1::numeric) < $2::bigint;
    int64(1) int64(0)

-- filter functions
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE lower("samples"."text") = $1::text AND length(("samples"."text"::text || $2::text::text || "samples"."int8"::text)) > $3::bigint AND coalesce("samples"."int_n", $4::bigint) = $5::bigint;
    string(a) string(x) int64(1) int64(5) int64(5)

-- filter field
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" < "samples"."int16";

-- filter coalesce of a decimal and a UUID
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE coalesce("samples"."price_n", $1::text::numeric) > $2::text::numeric AND coalesce("samples"."uuidn", $3::uuid) = $4::uuid;
    string(1.5) string(0) string(01000000-0000-0000-0000-000000000001) string(01000000-0000-0000-0000-000000000001)

-- relation many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL AND t1."title" = $1 AND t1."pages" > "writers"."limit");
    string(x)

-- relation many, twice
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL AND t1."title" = $1) AND (EXISTS (SELECT 1 FROM "novels" AS t2 WHERE t2."writer_id" = "writers"."id" AND t2."deleted_at" IS NULL AND t2."title" = $2)) IS NOT TRUE;
    string(x) string(y)

-- relation none of many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE NOT EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL);

-- relation over two
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL AND EXISTS (SELECT 1 FROM "reviews" AS t2 WHERE t2."novel_id" = t1."id" AND t2."stars" IN ($1, $2)));
    int64(1) int64(2)

-- relation many to many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "clubs" AS t1 WHERE t1."code" IN (SELECT "club_id" FROM "clubs_writers" WHERE "writer_id" = "writers"."id") AND t1."title" = $1);
    string(x)

-- relation key of many to many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "clubs" AS t1 WHERE t1."code" IN (SELECT "club_id" FROM "clubs_writers" WHERE "writer_id" = "writers"."id") AND t1."code" IN ($1));
    string(a)

-- relation one
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "animals" AS t1 ON t1."writer_id" = "writers"."id" WHERE t1."name" = $1;
    string(x)

-- relation itself
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "writers" AS t1 ON t1."id" = "writers"."mentor_id" LEFT JOIN "writers" AS t2 ON t2."id" = t1."mentor_id" WHERE t2."name" = $1;
    string(x)

-- relation itself, ne
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "writers" AS t1 ON t1."id" = "writers"."mentor_id" WHERE (t1."name" <> $1 OR t1."name" IS NULL);
    string(x)

-- relation field over it
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "writers" AS t1 ON t1."id" = "writers"."mentor_id" WHERE "writers"."age" > t1."age";

-- relation subquery
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."id" IN (SELECT "novels"."writer_id" FROM "novels" WHERE "novels"."deleted_at" IS NULL AND "novels"."pages" > $1);
    int64(1)

-- relation subquery with a limit
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."id" NOT IN (SELECT "novels"."writer_id" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."pages" LIMIT $1);
    int64(3)

-- all
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL;

-- with deleted
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels";

-- order
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL ORDER BY t1."name" DESC NULLS LAST, "novels"."title", "novels"."writer_id" NULLS FIRST;

-- order by chance
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY random();

-- order by an expression
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY ("novels"."pages" * $1::bigint) DESC NULLS LAST;
    int64(-1)

-- limit
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT $1;
    int64(3)

-- offset
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT ALL OFFSET $1;
    int64(3)

-- limit and offset
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT $1 OFFSET $2;
    int64(3) int64(2)

-- distinct
SELECT DISTINCT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."title";

-- only
SELECT "novels"."id", "novels"."title" FROM "novels" WHERE "novels"."deleted_at" IS NULL;

-- exclude
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL AND (("novels"."title" = $1 AND "novels"."pages" = $2)) IS NOT TRUE;
    string(a) int64(1)

-- locks
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = $1 FOR UPDATE OF "novels";
    string(x)
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = $1 FOR UPDATE OF "novels" SKIP LOCKED;
    string(x)
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = $1 FOR UPDATE OF "novels" NOWAIT;
    string(x)

-- get
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."id" = $1 AND "novels"."deleted_at" IS NULL;
    int64(7)

-- get by two keys
SELECT "orders"."select", "orders"."fr`om ""x""", "orders"."where", "orders"."group", "orders"."limit" FROM "orders" WHERE "orders"."select" = $1 AND "orders"."fr`om ""x""" = $2;
    string(a) int64(1)

-- first
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT $1;
    int64(1)

-- one
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL LIMIT $1;
    int64(2)

-- count
SELECT COUNT(*) FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = $1;
    string(x)

-- count of a part
SELECT COUNT(*) FROM (SELECT "novels"."id" FROM "novels" WHERE "novels"."deleted_at" IS NULL LIMIT $1) AS counted;
    int64(3)

-- count of different ones
SELECT COUNT(*) FROM (SELECT DISTINCT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL) AS counted;

-- exists
SELECT COUNT(*) FROM (SELECT 1 AS one FROM "novels" WHERE "novels"."deleted_at" IS NULL AND "novels"."title" = $1 LIMIT $2) AS found;
    string(x) int64(1)

-- page
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."pages" DESC, "novels"."id" DESC LIMIT $1;
    int64(4)

-- page after
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL AND (("novels"."writer_id" < $1 OR "novels"."writer_id" IS NULL) OR "novels"."writer_id" = $2 AND "novels"."id" < $3) ORDER BY "novels"."writer_id" DESC NULLS LAST, "novels"."id" DESC LIMIT $4;
    int64(5) int64(5) int64(7) int64(4)

-- values
SELECT "novels"."title" AS "title", t1."name" AS "writer__name", ("novels"."pages" * $1::bigint) AS "x", $2::text AS "v" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL;
    int64(2) string(v)

-- groups
SELECT t1."name" AS "name", ("novels"."pages" / NULLIF($1::bigint, 0)) AS "h", COUNT(*) AS "n", SUM(("novels"."pages" * $2::bigint))::bigint AS "twice", SUM("novels"."price") AS "price" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL GROUP BY t1."name", 2 HAVING (COUNT(*) > $3::bigint AND (((SUM(("novels"."pages" * $2::bigint))::bigint <> $4::bigint OR SUM(("novels"."pages" * $2::bigint))::bigint IS NULL)) OR (SUM("novels"."price") = $5::text::numeric))) ORDER BY "n" DESC NULLS LAST, "name" NULLS FIRST;
    int64(100) int64(2) int64(1) int64(5) string(1.50)

-- aggregates
SELECT COUNT(*) AS "count", COUNT(DISTINCT "novels"."writer_id") AS "writer__count", SUM("novels"."pages")::bigint AS "pages__sum", AVG("novels"."pages")::float8 AS "pages__avg", AVG("novels"."price")::float8 AS "price__avg", MIN("novels"."title") AS "title__min", MAX("novels"."created_at") AS "created_at__max" FROM "novels" WHERE "novels"."deleted_at" IS NULL;

-- create
INSERT INTO "novels" ("created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING "id";
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(1)

-- create with a key
INSERT INTO "novels" ("id", "created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
    int64(7) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(3)
SELECT setval(s, $1::bigint) FROM (SELECT pg_get_serial_sequence($2::text, $3::text)::regclass AS s) AS counter WHERE s IS NOT NULL AND $4::bigint > COALESCE(pg_sequence_last_value(s), 0);
    int64(7) string("novels") string(id) int64(7)

-- create with nothing
INSERT INTO "key_onlies" DEFAULT VALUES RETURNING "id";

-- create with odd names
INSERT INTO "orders" ("select", "fr`om ""x""", "where", "group", "limit") VALUES ($1, $2, $3, $4, $5);
    string(s) int64(0) string(o'cl\ock) bool(true) float64(1.5)

-- create many
INSERT INTO "novels" ("created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") SELECT c1, c2, c3, c4, c5, c6, c7, c8 FROM unnest(CASE WHEN FALSE THEN ARRAY(SELECT "created_at" FROM "novels") ELSE $1 END, CASE WHEN FALSE THEN ARRAY(SELECT "updated_at" FROM "novels") ELSE $2 END, CASE WHEN FALSE THEN ARRAY(SELECT "deleted_at" FROM "novels") ELSE $3 END, CASE WHEN FALSE THEN ARRAY(SELECT "title" FROM "novels") ELSE $4 END, CASE WHEN FALSE THEN ARRAY(SELECT "pages" FROM "novels") ELSE $5 END, CASE WHEN FALSE THEN ARRAY(SELECT "price" FROM "novels") ELSE $6 END, CASE WHEN FALSE THEN ARRAY(SELECT "writer_id" FROM "novels") ELSE $7 END, CASE WHEN FALSE THEN ARRAY(SELECT "version" FROM "novels") ELSE $8 END) WITH ORDINALITY AS given(c1, c2, c3, c4, c5, c6, c7, c8, place) ORDER BY place RETURNING "id";
    []time.Time(2030-01-02 03:04:05.678901 +0000 UTC 2030-01-02 03:04:05.678901 +0000 UTC) []time.Time(2030-01-02 03:04:05.678901 +0000 UTC 2030-01-02 03:04:05.678901 +0000 UTC) []*string(<nil> <nil>) []string(a b) []int64(0 0) []string(1.50 1.50) []*string(<nil> <nil>) []int64(1 1)

-- create many, some without a value
INSERT INTO "novels" ("created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") SELECT c1, c2, c3, c4, c5, c6, c7, c8 FROM unnest(CASE WHEN FALSE THEN ARRAY(SELECT "created_at" FROM "novels") ELSE $1 END, CASE WHEN FALSE THEN ARRAY(SELECT "updated_at" FROM "novels") ELSE $2 END, CASE WHEN FALSE THEN ARRAY(SELECT "deleted_at" FROM "novels") ELSE $3 END, CASE WHEN FALSE THEN ARRAY(SELECT "title" FROM "novels") ELSE $4 END, CASE WHEN FALSE THEN ARRAY(SELECT "pages" FROM "novels") ELSE $5 END, CASE WHEN FALSE THEN ARRAY(SELECT "price" FROM "novels") ELSE $6 END, CASE WHEN FALSE THEN ARRAY(SELECT "writer_id" FROM "novels") ELSE $7 END, CASE WHEN FALSE THEN ARRAY(SELECT "version" FROM "novels") ELSE $8 END) WITH ORDINALITY AS given(c1, c2, c3, c4, c5, c6, c7, c8, place) ORDER BY place RETURNING "id";
    []time.Time(2030-01-02 03:04:05.678901 +0000 UTC 2030-01-02 03:04:05.678901 +0000 UTC 2030-01-02 03:04:05.678901 +0000 UTC) []time.Time(2030-01-02 03:04:05.678901 +0000 UTC 2030-01-02 03:04:05.678901 +0000 UTC 2030-01-02 03:04:05.678901 +0000 UTC) []*string(<nil> <nil> <nil>) []string(a b c) []int64(0 0 0) []string(1.50 1.50 1.50) []*int64(<nil> 0 <nil>) []int64(1 1 1)

-- create many with keys and odd names
INSERT INTO "orders" ("select", "fr`om ""x""", "where", "group", "limit") SELECT c1, c2, c3, c4, c5 FROM unnest(CASE WHEN FALSE THEN ARRAY(SELECT "select" FROM "orders") ELSE $1 END, CASE WHEN FALSE THEN ARRAY(SELECT "fr`om ""x""" FROM "orders") ELSE $2 END, CASE WHEN FALSE THEN ARRAY(SELECT "where" FROM "orders") ELSE $3 END, CASE WHEN FALSE THEN ARRAY(SELECT "group" FROM "orders") ELSE $4 END, CASE WHEN FALSE THEN ARRAY(SELECT "limit" FROM "orders") ELSE $5 END) WITH ORDINALITY AS given(c1, c2, c3, c4, c5, place) ORDER BY place;
    []string(s t) []int64(1 2) []string(o'cl\ock o'cl\ock) []bool(true true) []float64(1.5 1.5)

-- create many with an array
INSERT INTO "racks" ("id", "tags") VALUES ($1, $2), ($3, $4);
    int64(1) string({a,b}) int64(2) string({})
SELECT setval(s, $1::bigint) FROM (SELECT pg_get_serial_sequence($2::text, $3::text)::regclass AS s) AS counter WHERE s IS NOT NULL AND $4::bigint > COALESCE(pg_sequence_last_value(s), 0);
    int64(2) string("racks") string(id) int64(2)

-- save
UPDATE "novels" SET "updated_at" = $1, "deleted_at" = $2, "title" = $3, "pages" = $4, "price" = $5, "writer_id" = $6, "version" = "version" + 1 WHERE "id" = $7 AND "version" = $8;
    string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(0.00) <nil>(<nil>) int64(7) int64(3)

-- save only
UPDATE "novels" SET "updated_at" = $1, "pages" = $2, "version" = "version" + 1 WHERE "id" = $3 AND "version" = $4;
    string(2030-01-02T03:04:05.678901Z) int64(0) int64(7) int64(3)

-- save by two keys
UPDATE "orders" SET "where" = $1, "group" = $2, "limit" = $3 WHERE "select" = $4 AND "fr`om ""x""" = $5;
    <nil>(<nil>) bool(false) float64(0) string(s) int64(1)

-- delete
UPDATE "novels" SET "deleted_at" = $1, "version" = "version" + 1 WHERE "id" = $2 AND "version" = $3;
    string(2030-01-02T03:04:05.678901Z) int64(7) int64(3)

-- restore
UPDATE "novels" SET "deleted_at" = $1, "version" = "version" + 1 WHERE "id" = $2 AND "version" = $3;
    <nil>(<nil>) int64(7) int64(3)

-- destroy
DELETE FROM "novels" WHERE "id" = $1 AND "version" = $2;
    int64(7) int64(3)

-- upsert
INSERT INTO "novels" ("id", "created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT ("id") DO UPDATE SET "updated_at" = excluded."updated_at", "deleted_at" = excluded."deleted_at", "title" = excluded."title", "pages" = excluded."pages", "price" = excluded."price", "writer_id" = excluded."writer_id", "version" = "novels"."version" + 1;
    int64(7) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(3)
SELECT setval(s, $1::bigint) FROM (SELECT pg_get_serial_sequence($2::text, $3::text)::regclass AS s) AS counter WHERE s IS NOT NULL AND $4::bigint > COALESCE(pg_sequence_last_value(s), 0);
    int64(7) string("novels") string(id) int64(7)
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."id" = $1 LIMIT $2;
    int64(7) int64(2)

-- upsert by another key
INSERT INTO "writers" ("created_at", "updated_at", "name", "age", "limit", "mentor_id") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT ("name") DO UPDATE SET "updated_at" = excluded."updated_at", "age" = excluded."age", "limit" = excluded."limit", "mentor_id" = excluded."mentor_id";
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) string(x) <nil>(<nil>) int64(0) <nil>(<nil>)
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."name" = $1 LIMIT $2;
    string(x) int64(2)

-- upsert with both keys
INSERT INTO "writers" ("id", "created_at", "updated_at", "name", "age", "limit", "mentor_id") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ("name") DO UPDATE SET "updated_at" = excluded."updated_at", "age" = excluded."age", "limit" = excluded."limit", "mentor_id" = excluded."mentor_id";
    int64(5) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) string(x) <nil>(<nil>) int64(0) <nil>(<nil>)
SELECT setval(s, $1::bigint) FROM (SELECT pg_get_serial_sequence($2::text, $3::text)::regclass AS s) AS counter WHERE s IS NOT NULL AND $4::bigint > COALESCE(pg_sequence_last_value(s), 0);
    int64(5) string("writers") string(id) int64(5)
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."name" = $1 LIMIT $2;
    string(x) int64(2)

-- upsert by two keys
INSERT INTO "orders" ("select", "fr`om ""x""", "where", "group", "limit") VALUES ($1, $2, $3, $4, $5) ON CONFLICT ("group", "limit") DO UPDATE SET "where" = excluded."where";
    string(s) int64(1) string(o'cl\ock) bool(true) float64(1.5)
SELECT "orders"."select", "orders"."fr`om ""x""", "orders"."where", "orders"."group", "orders"."limit" FROM "orders" WHERE "orders"."group" = $1 AND "orders"."limit" = $2 LIMIT $3;
    bool(true) float64(1.5) int64(2)

-- link
INSERT INTO "clubs_writers" ("writer_id", "club_id") VALUES ($1, $2), ($3, $4) ON CONFLICT ("writer_id", "club_id") DO NOTHING;
    int64(5) string(a) int64(5) string(b)

-- unlink
DELETE FROM "clubs_writers" WHERE "writer_id" = $1 AND "club_id" IN ($2, $3);
    int64(5) string(a) string(b)

-- update constants
UPDATE "novels" SET "updated_at" = $1, "pages" = $2, "price" = $3, "writer_id" = NULL, "version" = ("novels"."version" + $4::bigint) WHERE "novels"."deleted_at" IS NULL AND "novels"."title" = $5;
    string(2030-01-02T03:04:05.678901Z) int64(1) string(2.5) int64(1) string(x)

-- update expressions
UPDATE "novels" SET "updated_at" = $1, "title" = ("novels"."title"::text || $2::text::text), "pages" = ("novels"."pages" * $3::float8), "price" = ("novels"."price" / NULLIF($4::text::numeric, 0)), "version" = ("novels"."version" + $5::bigint) WHERE "novels"."deleted_at" IS NULL;
    string(2030-01-02T03:04:05.678901Z) string(!) float64(1.5) string(3) int64(1)

-- update over a relation
UPDATE "novels" SET "updated_at" = $1, "pages" = $2, "version" = ("novels"."version" + $3::bigint) WHERE "novels"."id" IN (SELECT chosen."id" FROM (SELECT "novels"."id" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = $4) AS chosen);
    string(2030-01-02T03:04:05.678901Z) int64(1) int64(1) string(x)

-- update over many
UPDATE "novels" SET "updated_at" = $1, "pages" = $2, "version" = ("novels"."version" + $3::bigint) WHERE "novels"."deleted_at" IS NULL AND EXISTS (SELECT 1 FROM "reviews" AS t1 WHERE t1."novel_id" = "novels"."id" AND t1."stars" = $4);
    string(2030-01-02T03:04:05.678901Z) int64(1) int64(1) int64(1)

-- update with a limit
UPDATE "novels" SET "updated_at" = $1, "pages" = $2, "version" = ("novels"."version" + $3::bigint) WHERE "novels"."id" IN (SELECT chosen."id" FROM (SELECT "novels"."id" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."pages" DESC LIMIT $4) AS chosen);
    string(2030-01-02T03:04:05.678901Z) int64(1) int64(1) int64(2)

-- delete rows
UPDATE "novels" SET "updated_at" = $1, "deleted_at" = $2, "version" = ("novels"."version" + $3::bigint) WHERE "novels"."deleted_at" IS NULL AND "novels"."pages" = $4;
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) int64(1) int64(1)

-- destroy rows
DELETE FROM "novels" WHERE "novels"."deleted_at" IS NULL AND "novels"."pages" = $1;
    int64(1)

-- destroy rows over a relation
DELETE FROM "novels" WHERE "novels"."id" IN (SELECT chosen."id" FROM (SELECT "novels"."id" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = $1) AS chosen);
    string(x)

-- create table
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1;
    string(samples)
CREATE TABLE "samples" ("id" bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL, "label" varchar(10) NOT NULL, "int" bigint NOT NULL, "int8" smallint NOT NULL, "int16" smallint NOT NULL, "int32" integer NOT NULL, "uint" numeric(20,0) NOT NULL, "uint8" smallint NOT NULL, "uint16" integer NOT NULL, "uint32" bigint NOT NULL, "float" double precision NOT NULL, "float32" real NOT NULL, "text" text NOT NULL, "sized" varchar(20) NOT NULL, "bool" boolean NOT NULL, "bytes" bytea NOT NULL, "at" timestamptz NOT NULL, "uuid" uuid NOT NULL, "price" numeric(12,2) NOT NULL, "took" bigint NOT NULL, "kind" text NOT NULL, "address" text NOT NULL, "meta" jsonb NOT NULL, "int_n" bigint, "int8_n" smallint, "uint_n" bigint, "float_n" double precision, "text_n" text, "bool_n" boolean, "bytes_n" bytea, "at_n" timestamptz, "uuidn" uuid, "price_n" numeric(12,2), "took_n" bigint, "kind_n" text, "address_n" text, "string_n" text, "time_n" timestamptz, "number_n" integer, "zero" varchar(20), "meta_n" jsonb, PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "samples_label_key" ON "samples" ("label");
CREATE INDEX "samples_sized_idx" ON "samples" ("sized");

-- create tables that refer to each other
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1;
    string(writers)
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1;
    string(clubs)
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1;
    string(clubs_writers)
CREATE TABLE "writers" ("id" bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL, "created_at" timestamptz NOT NULL, "updated_at" timestamptz NOT NULL, "name" varchar(60) NOT NULL, "age" bigint, "limit" bigint NOT NULL, "mentor_id" bigint, PRIMARY KEY ("id"), CONSTRAINT "writers_mentor_id_fkey" FOREIGN KEY ("mentor_id") REFERENCES "writers" ("id") ON DELETE SET NULL);
CREATE UNIQUE INDEX "writers_name_key" ON "writers" ("name");
CREATE INDEX "writers_mentor_id_idx" ON "writers" ("mentor_id");
CREATE TABLE "clubs" ("code" varchar(20) NOT NULL, "title" text NOT NULL, PRIMARY KEY ("code"));
CREATE TABLE "clubs_writers" ("writer_id" bigint NOT NULL, "club_id" varchar(20) NOT NULL, PRIMARY KEY ("writer_id", "club_id"), CONSTRAINT "clubs_writers_writer_id_fkey" FOREIGN KEY ("writer_id") REFERENCES "writers" ("id") ON DELETE CASCADE, CONSTRAINT "clubs_writers_club_id_fkey" FOREIGN KEY ("club_id") REFERENCES "clubs" ("code") ON DELETE CASCADE);
CREATE INDEX "clubs_writers_club_id_idx" ON "clubs_writers" ("club_id");

-- create a table with odd names
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1;
    string(orders)
CREATE TABLE "orders" ("select" varchar(20) NOT NULL, "fr`om ""x""" bigint NOT NULL, "where" text DEFAULT 'o''cl\ock', "group" boolean NOT NULL DEFAULT true, "limit" double precision NOT NULL DEFAULT 1.5, PRIMARY KEY ("select", "fr`om ""x"""));
CREATE INDEX "orders_by_where_idx" ON "orders" ("where", "limit");
CREATE UNIQUE INDEX "orders_pair_key" ON "orders" ("group", "limit");

-- create a table of a key
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1;
    string(key_onlies)
CREATE TABLE "key_onlies" ("id" integer GENERATED BY DEFAULT AS IDENTITY NOT NULL, PRIMARY KEY ("id"));

-- drop table
DROP TABLE IF EXISTS "orders";

