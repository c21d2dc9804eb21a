-- filter int8__exact
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" = ?;
    int64(1)

-- filter int8__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" <> ?;
    int64(1)

-- filter int8__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" > ?;
    int64(1)

-- filter int8__gte
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" >= ?;
    int64(1)

-- filter int8__lt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" < ?;
    int64(1)

-- filter int8__lte
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" <= ?;
    int64(1)

-- filter text__iexact
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '!';
    string(a!%!_!!\x)

-- filter text__contains
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '!';
    string(%a!%!_!!\x%)

-- filter text__icontains
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '!';
    string(%a!%!_!!\x%)

-- filter text__startswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '!';
    string(a!%!_!!\x%)

-- filter text__istartswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '!';
    string(a!%!_!!\x%)

-- filter text__endswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '!';
    string(%a!%!_!!\x)

-- filter text__iendswith
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '!';
    string(%a!%!_!!\x)

-- filter text__like
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '\';
    string(a%_!\x)

-- filter text__ilike
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" LIKE ? ESCAPE '\';
    string(a%_!\x)

-- filter text__regex
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" REGEXP ?;
    string(a%_!\x)

-- filter text__iregex
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."text" REGEXP ('(?i)' || ?);
    string(a%_!\x)

-- filter int_n__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int_n" <> ? OR "samples"."int_n" IS NULL);
    int64(1)

-- filter int_n
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int_n" IS NULL;

-- filter int_n__isnull
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int_n" IS NOT NULL;

-- filter int8__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" IN (?, ?);
    int64(1) int64(2)

-- filter int_n__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int_n" IN (?) OR "samples"."int_n" IS NULL);
    int64(1)

-- filter int_n__notin
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int_n" NOT IN (?) OR "samples"."int_n" IS NULL);
    int64(1)

-- filter int_n__notin
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int_n" NOT IN (?);
    int64(1)

-- filter int8__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE 1 = 0;

-- filter int8__range
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" BETWEEN ? AND ?;
    int64(1) int64(2)

-- filter price__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."price" > ?;
    string(1.50)

-- filter at__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."at" > ?;
    string(2024-02-29 12:30:15.500000)

-- filter uuid
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."uuid" = ?;
    string(07000000-0000-0000-0000-000000000007)

-- filter took__lt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."took" < ?;
    int64(1000000000)

-- filter bool
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."bool" = ?;
    bool(true)

-- filter bytes
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."bytes" = ?;
    []uint8([1 2])

-- filter at__year
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."at" >= ? AND "samples"."at" < ?);
    string(2024-01-01 00:00:00.000000) string(2025-01-01 00:00:00.000000)

-- filter at__year__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE CAST(strftime('%Y', "samples"."at") AS INTEGER) IN (?);
    int64(2024)

-- filter at_n__date__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."at_n" < ? OR "samples"."at_n" >= ? OR "samples"."at_n" IS NULL);
    string(2024-02-29 00:00:00.000000) string(2024-03-01 00:00:00.000000)

-- filter at__month
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE CAST(strftime('%m', "samples"."at") AS INTEGER) = ?;
    int64(1)

-- filter at__day
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE CAST(strftime('%d', "samples"."at") AS INTEGER) = ?;
    int64(1)

-- filter at__hour
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE CAST(strftime('%H', "samples"."at") AS INTEGER) = ?;
    int64(1)

-- filter at__minute
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE CAST(strftime('%M', "samples"."at") AS INTEGER) = ?;
    int64(1)

-- filter at__second
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE CAST(strftime('%S', "samples"."at") AS INTEGER) = ?;
    int64(1)

-- filter at__weekday
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE CAST(strftime('%w', "samples"."at") AS INTEGER) = ?;
    int64(1)

-- filter meta__city
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (json_type("samples"."meta", ?) = 'text' AND CAST(json_extract("samples"."meta", ?) AS TEXT) = ?);
    string($."city") string($."city") string(Bonn)

-- filter meta__a__0__b
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (json_type("samples"."meta", ?) IN ('integer', 'real') AND json_extract("samples"."meta", ?) = ?);
    string($."a"[0]."b") string($."a"[0]."b") int64(5)

-- filter meta__ok__ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ((json_type("samples"."meta", ?) IN ('true', 'false') AND CAST(json_extract("samples"."meta", ?) AS TEXT) = '1')) IS NOT TRUE;
    string($."ok") string($."ok")

-- filter meta__n__gt
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (json_type("samples"."meta", ?) IN ('integer', 'real') AND json_extract("samples"."meta", ?) > ?);
    string($."n") string($."n") float64(1.5)

-- filter meta__n__in
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ((json_type("samples"."meta", ?) IN ('integer', 'real') AND json_extract("samples"."meta", ?) = ?) OR (json_type("samples"."meta", ?) = 'text' AND CAST(json_extract("samples"."meta", ?) AS TEXT) = ?) OR COALESCE(json_type("samples"."meta", ?), 'null') = 'null');
    string($."n") string($."n") int64(1) string($."n") string($."n") string(x) string($."n")

-- filter meta__x__isnull
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE COALESCE(json_type("samples"."meta", ?), 'null') = 'null';
    string($."x")

-- filter meta__city__icontains
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (json_type("samples"."meta", ?) = 'text' AND CAST(json_extract("samples"."meta", ?) AS TEXT) LIKE ? ESCAPE '!');
    string($."city") string($."city") string(%o%)

-- filter or
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."label" = ? OR "samples"."label" = ? AND "samples"."int8" = ?);
    string(a) string(b) int64(1)

-- filter not
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (("samples"."label" = ? AND "samples"."int8" = ?)) IS NOT TRUE;
    string(a) int64(1)

-- filter nothing
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE 1 = 0;

-- filter expression
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (("samples"."int8" + ?) * ?) > ?;
    int64(1) int64(2) int64(3)

-- filter expression ne
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (("samples"."int8" + ?) <> ? OR ("samples"."int8" + ?) IS NULL);
    int64(1) int64(3) int64(1)

-- filter whole division
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."int8" / NULLIF(?, 0)) = ?;
    int64(2) int64(1)

-- filter division
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE (CAST("samples"."price" AS REAL) / NULLIF(CAST(? AS NUMERIC), 0)) < CAST(? AS NUMERIC);
    string(2.5) string(1.25)

-- filter unsigned
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE ("samples"."uint8" - ?) < ?;
    int64(1) int64(0)

-- filter functions
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE lower("samples"."text") = ? AND length(("samples"."text" || ? || "samples"."int8")) > ? AND coalesce("samples"."int_n", ?) = ?;
    string(a) string(x) int64(1) int64(5) int64(5)

-- filter field
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE "samples"."int8" < "samples"."int16";

-- filter coalesce of a decimal and a UUID
SELECT "samples"."id", "samples"."label" FROM "samples" WHERE coalesce("samples"."price_n", CAST(? AS NUMERIC)) > CAST(? AS NUMERIC) AND coalesce("samples"."uuidn", ?) = ?;
    string(1.5) string(0) string(01000000-0000-0000-0000-000000000001) string(01000000-0000-0000-0000-000000000001)

-- relation many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL AND t1."title" = ? AND t1."pages" > "writers"."limit");
    string(x)

-- relation many, twice
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL AND t1."title" = ?) AND (EXISTS (SELECT 1 FROM "novels" AS t2 WHERE t2."writer_id" = "writers"."id" AND t2."deleted_at" IS NULL AND t2."title" = ?)) IS NOT TRUE;
    string(x) string(y)

-- relation none of many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE NOT EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL);

-- relation over two
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "novels" AS t1 WHERE t1."writer_id" = "writers"."id" AND t1."deleted_at" IS NULL AND EXISTS (SELECT 1 FROM "reviews" AS t2 WHERE t2."novel_id" = t1."id" AND t2."stars" IN (?, ?)));
    int64(1) int64(2)

-- relation many to many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "clubs" AS t1 WHERE t1."code" IN (SELECT "club_id" FROM "clubs_writers" WHERE "writer_id" = "writers"."id") AND t1."title" = ?);
    string(x)

-- relation key of many to many
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE EXISTS (SELECT 1 FROM "clubs" AS t1 WHERE t1."code" IN (SELECT "club_id" FROM "clubs_writers" WHERE "writer_id" = "writers"."id") AND t1."code" IN (?));
    string(a)

-- relation one
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "animals" AS t1 ON t1."writer_id" = "writers"."id" WHERE t1."name" = ?;
    string(x)

-- relation itself
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "writers" AS t1 ON t1."id" = "writers"."mentor_id" LEFT JOIN "writers" AS t2 ON t2."id" = t1."mentor_id" WHERE t2."name" = ?;
    string(x)

-- relation itself, ne
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "writers" AS t1 ON t1."id" = "writers"."mentor_id" WHERE (t1."name" <> ? OR t1."name" IS NULL);
    string(x)

-- relation field over it
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" LEFT JOIN "writers" AS t1 ON t1."id" = "writers"."mentor_id" WHERE "writers"."age" > t1."age";

-- relation subquery
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."id" IN (SELECT "novels"."writer_id" FROM "novels" WHERE "novels"."deleted_at" IS NULL AND "novels"."pages" > ?);
    int64(1)

-- relation subquery with a limit
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."id" NOT IN (SELECT "novels"."writer_id" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."pages" LIMIT ?);
    int64(3)

-- all
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL;

-- with deleted
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels";

-- order
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL ORDER BY t1."name" DESC, "novels"."title", "novels"."writer_id";

-- order by chance
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY random();

-- order by an expression
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY ("novels"."pages" * ?) DESC;
    int64(-1)

-- limit
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT ?;
    int64(3)

-- offset
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT -1 OFFSET ?;
    int64(3)

-- limit and offset
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT ? OFFSET ?;
    int64(3) int64(2)

-- distinct
SELECT DISTINCT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."title";

-- only
SELECT "novels"."id", "novels"."title" FROM "novels" WHERE "novels"."deleted_at" IS NULL;

-- exclude
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL AND (("novels"."title" = ? AND "novels"."pages" = ?)) IS NOT TRUE;
    string(a) int64(1)

-- locks
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = ?;
    string(x)
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = ?;
    string(x)
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = ?;
    string(x)

-- get
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."id" = ? AND "novels"."deleted_at" IS NULL;
    int64(7)

-- get by two keys
SELECT "orders"."select", "orders"."fr`om ""x""", "orders"."where", "orders"."group", "orders"."limit" FROM "orders" WHERE "orders"."select" = ? AND "orders"."fr`om ""x""" = ?;
    string(a) int64(1)

-- first
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."id" LIMIT ?;
    int64(1)

-- one
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL LIMIT ?;
    int64(2)

-- count
SELECT COUNT(*) FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = ?;
    string(x)

-- count of a part
SELECT COUNT(*) FROM (SELECT "novels"."id" FROM "novels" WHERE "novels"."deleted_at" IS NULL LIMIT ?) AS counted;
    int64(3)

-- count of different ones
SELECT COUNT(*) FROM (SELECT DISTINCT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL) AS counted;

-- exists
SELECT COUNT(*) FROM (SELECT 1 AS one FROM "novels" WHERE "novels"."deleted_at" IS NULL AND "novels"."title" = ? LIMIT ?) AS found;
    string(x) int64(1)

-- page
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."pages" DESC, "novels"."id" DESC LIMIT ?;
    int64(4)

-- page after
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."deleted_at" IS NULL AND (("novels"."writer_id" < ? OR "novels"."writer_id" IS NULL) OR "novels"."writer_id" = ? AND "novels"."id" < ?) ORDER BY "novels"."writer_id" DESC, "novels"."id" DESC LIMIT ?;
    int64(5) int64(5) int64(7) int64(4)

-- values
SELECT "novels"."title" AS "title", t1."name" AS "writer__name", ("novels"."pages" * ?) AS "x", ? AS "v" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL;
    int64(2) string(v)

-- groups
SELECT t1."name" AS "name", ("novels"."pages" / NULLIF(?, 0)) AS "h", COUNT(*) AS "n", SUM(("novels"."pages" * ?)) AS "twice", SUM("novels"."price") AS "price" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL GROUP BY t1."name", 2 HAVING (COUNT(*) > ? AND (((SUM(("novels"."pages" * ?)) <> ? OR SUM(("novels"."pages" * ?)) IS NULL)) OR (SUM("novels"."price") = CAST(? AS NUMERIC)))) ORDER BY "n" DESC, "name";
    int64(100) int64(2) int64(1) int64(2) int64(5) int64(2) string(1.50)

-- aggregates
SELECT COUNT(*) AS "count", COUNT(DISTINCT "novels"."writer_id") AS "writer__count", SUM("novels"."pages") AS "pages__sum", AVG("novels"."pages") AS "pages__avg", AVG("novels"."price") AS "price__avg", MIN("novels"."title") AS "title__min", MAX("novels"."created_at") AS "created_at__max" FROM "novels" WHERE "novels"."deleted_at" IS NULL;

-- create
INSERT INTO "novels" ("created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES (?, ?, ?, ?, ?, ?, ?, ?);
    string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(1)

-- create with a key
INSERT INTO "novels" ("id", "created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
    int64(7) string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(3)

-- create with nothing
INSERT INTO "key_onlies" DEFAULT VALUES;

-- create with odd names
INSERT INTO "orders" ("select", "fr`om ""x""", "where", "group", "limit") VALUES (?, ?, ?, ?, ?);
    string(s) int64(0) string(o'cl\ock) bool(true) float64(1.5)

-- create many
INSERT INTO "novels" ("created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?);
    string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(a) int64(0) string(1.50) <nil>(<nil>) int64(1) string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(b) int64(0) string(1.50) <nil>(<nil>) int64(1)

-- create many, some without a value
INSERT INTO "novels" ("created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?);
    string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(a) int64(0) string(1.50) <nil>(<nil>) int64(1) string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(b) int64(0) string(1.50) int64(0) int64(1) string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(c) int64(0) string(1.50) <nil>(<nil>) int64(1)

-- create many with keys and odd names
INSERT INTO "orders" ("select", "fr`om ""x""", "where", "group", "limit") VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?);
    string(s) int64(1) string(o'cl\ock) bool(true) float64(1.5) string(t) int64(2) string(o'cl\ock) bool(true) float64(1.5)

-- create many with an array
INSERT INTO "racks" ("id", "tags") VALUES (?, ?), (?, ?);
    int64(1) string({a,b}) int64(2) string({})

-- save
UPDATE "novels" SET "updated_at" = ?, "deleted_at" = ?, "title" = ?, "pages" = ?, "price" = ?, "writer_id" = ?, "version" = "version" + 1 WHERE "id" = ? AND "version" = ?;
    string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(t) int64(0) string(0.00) <nil>(<nil>) int64(7) int64(3)

-- save only
UPDATE "novels" SET "updated_at" = ?, "pages" = ?, "version" = "version" + 1 WHERE "id" = ? AND "version" = ?;
    string(2030-01-02 03:04:05.678901) int64(0) int64(7) int64(3)

-- save by two keys
UPDATE "orders" SET "where" = ?, "group" = ?, "limit" = ? WHERE "select" = ? AND "fr`om ""x""" = ?;
    <nil>(<nil>) bool(false) float64(0) string(s) int64(1)

-- delete
UPDATE "novels" SET "deleted_at" = ?, "version" = "version" + 1 WHERE "id" = ? AND "version" = ?;
    string(2030-01-02 03:04:05.678901) int64(7) int64(3)

-- restore
UPDATE "novels" SET "deleted_at" = ?, "version" = "version" + 1 WHERE "id" = ? AND "version" = ?;
    <nil>(<nil>) int64(7) int64(3)

-- destroy
DELETE FROM "novels" WHERE "id" = ? AND "version" = ?;
    int64(7) int64(3)

-- upsert
INSERT INTO "novels" ("id", "created_at", "updated_at", "deleted_at", "title", "pages", "price", "writer_id", "version") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("id") DO UPDATE SET "updated_at" = excluded."updated_at", "deleted_at" = excluded."deleted_at", "title" = excluded."title", "pages" = excluded."pages", "price" = excluded."price", "writer_id" = excluded."writer_id", "version" = "novels"."version" + 1;
    int64(7) string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(3)
SELECT "novels"."id", "novels"."created_at", "novels"."updated_at", "novels"."deleted_at", "novels"."title", "novels"."pages", "novels"."price", "novels"."writer_id", "novels"."version" FROM "novels" WHERE "novels"."id" = ? LIMIT ?;
    int64(7) int64(2)

-- upsert by another key
INSERT INTO "writers" ("created_at", "updated_at", "name", "age", "limit", "mentor_id") VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT ("name") DO UPDATE SET "updated_at" = excluded."updated_at", "age" = excluded."age", "limit" = excluded."limit", "mentor_id" = excluded."mentor_id";
    string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) string(x) <nil>(<nil>) int64(0) <nil>(<nil>)
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."name" = ? LIMIT ?;
    string(x) int64(2)

-- upsert with both keys
INSERT INTO "writers" ("id", "created_at", "updated_at", "name", "age", "limit", "mentor_id") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("name") DO UPDATE SET "updated_at" = excluded."updated_at", "age" = excluded."age", "limit" = excluded."limit", "mentor_id" = excluded."mentor_id";
    int64(5) string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) string(x) <nil>(<nil>) int64(0) <nil>(<nil>)
SELECT "writers"."id", "writers"."created_at", "writers"."updated_at", "writers"."name", "writers"."age", "writers"."limit", "writers"."mentor_id" FROM "writers" WHERE "writers"."name" = ? LIMIT ?;
    string(x) int64(2)

-- upsert by two keys
INSERT INTO "orders" ("select", "fr`om ""x""", "where", "group", "limit") VALUES (?, ?, ?, ?, ?) ON CONFLICT ("group", "limit") DO UPDATE SET "where" = excluded."where";
    string(s) int64(1) string(o'cl\ock) bool(true) float64(1.5)
SELECT "orders"."select", "orders"."fr`om ""x""", "orders"."where", "orders"."group", "orders"."limit" FROM "orders" WHERE "orders"."group" = ? AND "orders"."limit" = ? LIMIT ?;
    bool(true) float64(1.5) int64(2)

-- link
INSERT INTO "clubs_writers" ("writer_id", "club_id") VALUES (?, ?), (?, ?) ON CONFLICT ("writer_id", "club_id") DO NOTHING;
    int64(5) string(a) int64(5) string(b)

-- unlink
DELETE FROM "clubs_writers" WHERE "writer_id" = ? AND "club_id" IN (?, ?);
    int64(5) string(a) string(b)

-- update constants
UPDATE "novels" SET "updated_at" = ?, "pages" = ?, "price" = ?, "writer_id" = NULL, "version" = ("novels"."version" + ?) WHERE "novels"."deleted_at" IS NULL AND "novels"."title" = ?;
    string(2030-01-02 03:04:05.678901) int64(1) string(2.5) int64(1) string(x)

-- update expressions
UPDATE "novels" SET "updated_at" = ?, "title" = ("novels"."title" || ?), "pages" = CAST(ROUND(("novels"."pages" * ?)) AS INTEGER), "price" = ROUND((CAST("novels"."price" AS REAL) / NULLIF(CAST(? AS NUMERIC), 0)), 2), "version" = ("novels"."version" + ?) WHERE "novels"."deleted_at" IS NULL;
    string(2030-01-02 03:04:05.678901) string(!) float64(1.5) string(3) int64(1)

-- update over a relation
UPDATE "novels" SET "updated_at" = ?, "pages" = ?, "version" = ("novels"."version" + ?) WHERE "novels"."id" IN (SELECT chosen."id" FROM (SELECT "novels"."id" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = ?) AS chosen);
    string(2030-01-02 03:04:05.678901) int64(1) int64(1) string(x)

-- update over many
UPDATE "novels" SET "updated_at" = ?, "pages" = ?, "version" = ("novels"."version" + ?) WHERE "novels"."deleted_at" IS NULL AND EXISTS (SELECT 1 FROM "reviews" AS t1 WHERE t1."novel_id" = "novels"."id" AND t1."stars" = ?);
    string(2030-01-02 03:04:05.678901) int64(1) int64(1) int64(1)

-- update with a limit
UPDATE "novels" SET "updated_at" = ?, "pages" = ?, "version" = ("novels"."version" + ?) WHERE "novels"."id" IN (SELECT chosen."id" FROM (SELECT "novels"."id" FROM "novels" WHERE "novels"."deleted_at" IS NULL ORDER BY "novels"."pages" DESC LIMIT ?) AS chosen);
    string(2030-01-02 03:04:05.678901) int64(1) int64(1) int64(2)

-- delete rows
UPDATE "novels" SET "updated_at" = ?, "deleted_at" = ?, "version" = ("novels"."version" + ?) WHERE "novels"."deleted_at" IS NULL AND "novels"."pages" = ?;
    string(2030-01-02 03:04:05.678901) string(2030-01-02 03:04:05.678901) int64(1) int64(1)

-- destroy rows
DELETE FROM "novels" WHERE "novels"."deleted_at" IS NULL AND "novels"."pages" = ?;
    int64(1)

-- destroy rows over a relation
DELETE FROM "novels" WHERE "novels"."id" IN (SELECT chosen."id" FROM (SELECT "novels"."id" FROM "novels" LEFT JOIN "writers" AS t1 ON t1."id" = "novels"."writer_id" WHERE "novels"."deleted_at" IS NULL AND t1."name" = ?) AS chosen);
    string(x)

-- create table
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?;
    string(samples)
CREATE TABLE "samples" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "label" varchar(10) NOT NULL, "int" integer NOT NULL, "int8" integer NOT NULL, "int16" integer NOT NULL, "int32" integer NOT NULL, "uint" integer NOT NULL, "uint8" integer NOT NULL, "uint16" integer NOT NULL, "uint32" integer NOT NULL, "float" real NOT NULL, "float32" real NOT NULL, "text" text NOT NULL, "sized" varchar(20) NOT NULL, "bool" boolean NOT NULL, "bytes" blob NOT NULL, "at" datetime NOT NULL, "uuid" text NOT NULL, "price" decimal(12,2) NOT NULL, "took" integer NOT NULL, "kind" text NOT NULL, "address" text NOT NULL, "meta" text NOT NULL, "int_n" integer, "int8_n" integer, "uint_n" integer, "float_n" real, "text_n" text, "bool_n" boolean, "bytes_n" blob, "at_n" datetime, "uuidn" text, "price_n" decimal(12,2), "took_n" integer, "kind_n" text, "address_n" text, "string_n" text, "time_n" datetime, "number_n" integer, "zero" varchar(20), "meta_n" text);
CREATE UNIQUE INDEX "samples_label_key" ON "samples" ("label");
CREATE INDEX "samples_sized_idx" ON "samples" ("sized");

-- create tables that refer to each other
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?;
    string(writers)
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?;
    string(clubs)
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?;
    string(clubs_writers)
CREATE TABLE "writers" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "created_at" datetime NOT NULL, "updated_at" datetime NOT NULL, "name" varchar(60) NOT NULL, "age" integer, "limit" integer NOT NULL, "mentor_id" integer, CONSTRAINT "writers_mentor_id_fkey" FOREIGN KEY ("mentor_id") REFERENCES "writers" ("id") ON DELETE SET NULL);
CREATE UNIQUE INDEX "writers_name_key" ON "writers" ("name");
CREATE INDEX "writers_mentor_id_idx" ON "writers" ("mentor_id");
CREATE TABLE "clubs" ("code" varchar(20) NOT NULL, "title" text NOT NULL, PRIMARY KEY ("code"));
CREATE TABLE "clubs_writers" ("writer_id" integer NOT NULL, "club_id" varchar(20) NOT NULL, PRIMARY KEY ("writer_id", "club_id"), CONSTRAINT "clubs_writers_writer_id_fkey" FOREIGN KEY ("writer_id") REFERENCES "writers" ("id") ON DELETE CASCADE, CONSTRAINT "clubs_writers_club_id_fkey" FOREIGN KEY ("club_id") REFERENCES "clubs" ("code") ON DELETE CASCADE);
CREATE INDEX "clubs_writers_club_id_idx" ON "clubs_writers" ("club_id");

-- create a table with odd names
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?;
    string(orders)
CREATE TABLE "orders" ("select" varchar(20) NOT NULL, "fr`om ""x""" integer NOT NULL, "where" text DEFAULT 'o''cl\ock', "group" boolean NOT NULL DEFAULT 1, "limit" real NOT NULL DEFAULT 1.5, PRIMARY KEY ("select", "fr`om ""x"""));
CREATE INDEX "orders_by_where_idx" ON "orders" ("where", "limit");
CREATE UNIQUE INDEX "orders_pair_key" ON "orders" ("group", "limit");

-- create a table of a key
SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?;
    string(key_onlies)
CREATE TABLE "key_onlies" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT);

-- drop table
DROP TABLE IF EXISTS "orders";

