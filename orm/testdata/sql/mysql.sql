-- filter int8__exact
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` = ?;
    int64(1)

-- filter int8__ne
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` <> ?;
    int64(1)

-- filter int8__gt
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` > ?;
    int64(1)

-- filter int8__gte
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` >= ?;
    int64(1)

-- filter int8__lt
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` < ?;
    int64(1)

-- filter int8__lte
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` <= ?;
    int64(1)

-- filter text__iexact
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE LOWER(`samples`.`text`) LIKE LOWER(?) ESCAPE '!';
    string(a!%!_!!\x)

-- filter text__contains
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`text` LIKE ? COLLATE utf8mb4_bin ESCAPE '!';
    string(%a!%!_!!\x%)

-- filter text__icontains
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE LOWER(`samples`.`text`) LIKE LOWER(?) ESCAPE '!';
    string(%a!%!_!!\x%)

-- filter text__startswith
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`text` LIKE ? COLLATE utf8mb4_bin ESCAPE '!';
    string(a!%!_!!\x%)

-- filter text__istartswith
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE LOWER(`samples`.`text`) LIKE LOWER(?) ESCAPE '!';
    string(a!%!_!!\x%)

-- filter text__endswith
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`text` LIKE ? COLLATE utf8mb4_bin ESCAPE '!';
    string(%a!%!_!!\x)

-- filter text__iendswith
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE LOWER(`samples`.`text`) LIKE LOWER(?) ESCAPE '!';
    string(%a!%!_!!\x)

-- filter text__like
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`text` LIKE ? COLLATE utf8mb4_bin ESCAPE '\\';
    string(a%_!\x)

-- filter text__ilike
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE LOWER(`samples`.`text`) LIKE LOWER(?) ESCAPE '\\';
    string(a%_!\x)

-- filter text__regex
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`text` REGEXP CONCAT('(?-i)', ?);
    string(a%_!\x)

-- filter text__iregex
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`text` REGEXP CONCAT('(?i)', ?);
    string(a%_!\x)

-- filter int_n__ne
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`int_n` <> ? OR `samples`.`int_n` IS NULL);
    int64(1)

-- filter int_n
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int_n` IS NULL;

-- filter int_n__isnull
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int_n` IS NOT NULL;

-- filter int8__in
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` IN (?, ?);
    int64(1) int64(2)

-- filter int_n__in
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`int_n` IN (?) OR `samples`.`int_n` IS NULL);
    int64(1)

-- filter int_n__notin
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`int_n` NOT IN (?) OR `samples`.`int_n` IS NULL);
    int64(1)

-- filter int_n__notin
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int_n` NOT IN (?);
    int64(1)

-- filter int8__in
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE 1 = 0;

-- filter int8__range
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` >= ? AND `samples`.`int8` <= ?;
    int64(1) int64(2)

-- filter price__gt
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`price` > ?;
    string(1.50)

-- filter at__gt
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`at` > ?;
    string(2024-02-29T12:30:15.5Z)

-- filter uuid
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`uuid` = ?;
    string(07000000-0000-0000-0000-000000000007)

-- filter took__lt
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`took` < ?;
    int64(1000000000)

-- filter bool
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`bool` = ?;
    bool(true)

-- filter bytes
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`bytes` = ?;
    []uint8([1 2])

-- filter at__year
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`at` >= ? AND `samples`.`at` < ?);
    string(2024-01-01T00:00:00Z) string(2025-01-01T00:00:00Z)

-- filter at__year__in
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE YEAR(`samples`.`at`) IN (?);
    int64(2024)

-- filter at_n__date__ne
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`at_n` < ? OR `samples`.`at_n` >= ? OR `samples`.`at_n` IS NULL);
    string(2024-02-29T00:00:00Z) string(2024-03-01T00:00:00Z)

-- filter at__month
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE MONTH(`samples`.`at`) = ?;
    int64(1)

-- filter at__day
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE DAYOFMONTH(`samples`.`at`) = ?;
    int64(1)

-- filter at__hour
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE HOUR(`samples`.`at`) = ?;
    int64(1)

-- filter at__minute
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE MINUTE(`samples`.`at`) = ?;
    int64(1)

-- filter at__second
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE SECOND(`samples`.`at`) = ?;
    int64(1)

-- filter at__weekday
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (DAYOFWEEK(`samples`.`at`) - 1) = ?;
    int64(1)

-- filter meta__city
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)) = 'STRING' AND JSON_UNQUOTE(JSON_EXTRACT(`samples`.`meta`, ?)) = ?);
    string($."city") string($."city") string(Bonn)

-- filter meta__a__0__b
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') AND (JSON_UNQUOTE(JSON_EXTRACT(`samples`.`meta`, ?)) + 0e0) = ?);
    string($."a"[0]."b") string($."a"[0]."b") int64(5)

-- filter meta__ok__ne
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE ((JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)) = 'BOOLEAN' AND JSON_UNQUOTE(JSON_EXTRACT(`samples`.`meta`, ?)) = 'true')) IS NOT TRUE;
    string($."ok") string($."ok")

-- filter meta__n__gt
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') AND (JSON_UNQUOTE(JSON_EXTRACT(`samples`.`meta`, ?)) + 0e0) > ?);
    string($."n") string($."n") float64(1.5)

-- filter meta__n__in
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE ((JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') AND (JSON_UNQUOTE(JSON_EXTRACT(`samples`.`meta`, ?)) + 0e0) = ?) OR (JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)) = 'STRING' AND JSON_UNQUOTE(JSON_EXTRACT(`samples`.`meta`, ?)) = ?) OR COALESCE(JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)), 'NULL') = 'NULL');
    string($."n") string($."n") int64(1) string($."n") string($."n") string(x) string($."n")

-- filter meta__x__isnull
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE COALESCE(JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)), 'NULL') = 'NULL';
    string($."x")

-- filter meta__city__icontains
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (JSON_TYPE(JSON_EXTRACT(`samples`.`meta`, ?)) = 'STRING' AND LOWER(JSON_UNQUOTE(JSON_EXTRACT(`samples`.`meta`, ?))) LIKE LOWER(?) ESCAPE '!');
    string($."city") string($."city") string(%o%)

-- filter or
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`label` = ? OR `samples`.`label` = ? AND `samples`.`int8` = ?);
    string(a) string(b) int64(1)

-- filter not
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE ((`samples`.`label` = ? AND `samples`.`int8` = ?)) IS NOT TRUE;
    string(a) int64(1)

-- filter nothing
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE 1 = 0;

-- filter expression
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE ((`samples`.`int8` + ?) * ?) > ?;
    int64(1) int64(2) int64(3)

-- filter expression ne
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE ((`samples`.`int8` + ?) <> ? OR (`samples`.`int8` + ?) IS NULL);
    int64(1) int64(3) int64(1)

-- filter whole division
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`int8` DIV NULLIF(?, 0)) = ?;
    int64(2) int64(1)

-- filter division
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (`samples`.`price` / NULLIF(CAST(? AS DECIMAL(65,1)), 0)) < CAST(? AS DECIMAL(65,2));
    string(2.5) string(1.25)

-- filter unsigned
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE (CAST(`samples`.`uint8` AS SIGNED) - ?) < ?;
    int64(1) int64(0)

-- filter functions
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE lower(`samples`.`text`) = ? AND CHAR_LENGTH(concat(`samples`.`text`, ?, `samples`.`int8`)) > ? AND coalesce(`samples`.`int_n`, ?) = ?;
    string(a) string(x) int64(1) int64(5) int64(5)

-- filter field
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE `samples`.`int8` < `samples`.`int16`;

-- filter coalesce of a decimal and a UUID
SELECT `samples`.`id`, `samples`.`label` FROM `samples` WHERE coalesce(`samples`.`price_n`, CAST(? AS DECIMAL(65,1))) > CAST(? AS DECIMAL(65,0)) AND coalesce(`samples`.`uuidn`, ?) = ?;
    string(1.5) string(0) string(01000000-0000-0000-0000-000000000001) string(01000000-0000-0000-0000-000000000001)

-- relation many
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE EXISTS (SELECT 1 FROM `novels` AS t1 WHERE t1.`writer_id` = `writers`.`id` AND t1.`deleted_at` IS NULL AND t1.`title` = ? AND t1.`pages` > `writers`.`limit`);
    string(x)

-- relation many, twice
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE EXISTS (SELECT 1 FROM `novels` AS t1 WHERE t1.`writer_id` = `writers`.`id` AND t1.`deleted_at` IS NULL AND t1.`title` = ?) AND (EXISTS (SELECT 1 FROM `novels` AS t2 WHERE t2.`writer_id` = `writers`.`id` AND t2.`deleted_at` IS NULL AND t2.`title` = ?)) IS NOT TRUE;
    string(x) string(y)

-- relation none of many
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE NOT EXISTS (SELECT 1 FROM `novels` AS t1 WHERE t1.`writer_id` = `writers`.`id` AND t1.`deleted_at` IS NULL);

-- relation over two
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE EXISTS (SELECT 1 FROM `novels` AS t1 WHERE t1.`writer_id` = `writers`.`id` AND t1.`deleted_at` IS NULL AND EXISTS (SELECT 1 FROM `reviews` AS t2 WHERE t2.`novel_id` = t1.`id` AND t2.`stars` IN (?, ?)));
    int64(1) int64(2)

-- relation many to many
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE EXISTS (SELECT 1 FROM `clubs` AS t1 WHERE t1.`code` IN (SELECT `club_id` FROM `clubs_writers` WHERE `writer_id` = `writers`.`id`) AND t1.`title` = ?);
    string(x)

-- relation key of many to many
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE EXISTS (SELECT 1 FROM `clubs` AS t1 WHERE t1.`code` IN (SELECT `club_id` FROM `clubs_writers` WHERE `writer_id` = `writers`.`id`) AND t1.`code` IN (?));
    string(a)

-- relation one
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` LEFT JOIN `animals` AS t1 ON t1.`writer_id` = `writers`.`id` WHERE t1.`name` = ?;
    string(x)

-- relation itself
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` LEFT JOIN `writers` AS t1 ON t1.`id` = `writers`.`mentor_id` LEFT JOIN `writers` AS t2 ON t2.`id` = t1.`mentor_id` WHERE t2.`name` = ?;
    string(x)

-- relation itself, ne
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` LEFT JOIN `writers` AS t1 ON t1.`id` = `writers`.`mentor_id` WHERE (t1.`name` <> ? OR t1.`name` IS NULL);
    string(x)

-- relation field over it
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` LEFT JOIN `writers` AS t1 ON t1.`id` = `writers`.`mentor_id` WHERE `writers`.`age` > t1.`age`;

-- relation subquery
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE `writers`.`id` IN (SELECT `novels`.`writer_id` FROM `novels` WHERE `novels`.`deleted_at` IS NULL AND `novels`.`pages` > ?);
    int64(1)

-- relation subquery with a limit
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE `writers`.`id` NOT IN (SELECT * FROM (SELECT `novels`.`writer_id` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`pages` LIMIT ?) AS limited);
    int64(3)

-- all
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL;

-- with deleted
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels`;

-- order
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL ORDER BY t1.`name` DESC, `novels`.`title`, `novels`.`writer_id`;

-- order by chance
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY RAND();

-- order by an expression
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY (`novels`.`pages` * ?) DESC;
    int64(-1)

-- limit
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`id` LIMIT ?;
    int64(3)

-- offset
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`id` LIMIT 18446744073709551615 OFFSET ?;
    int64(3)

-- limit and offset
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`id` LIMIT ? OFFSET ?;
    int64(3) int64(2)

-- distinct
SELECT DISTINCT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`title`;

-- only
SELECT `novels`.`id`, `novels`.`title` FROM `novels` WHERE `novels`.`deleted_at` IS NULL;

-- exclude
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL AND ((`novels`.`title` = ? AND `novels`.`pages` = ?)) IS NOT TRUE;
    string(a) int64(1)

-- locks
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL AND t1.`name` = ? FOR UPDATE;
    string(x)
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL AND t1.`name` = ? FOR UPDATE SKIP LOCKED;
    string(x)
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL AND t1.`name` = ? FOR UPDATE NOWAIT;
    string(x)

-- get
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`id` = ? AND `novels`.`deleted_at` IS NULL;
    int64(7)

-- get by two keys
SELECT `orders`.`select`, `orders`.`fr``om "x"`, `orders`.`where`, `orders`.`group`, `orders`.`limit` FROM `orders` WHERE `orders`.`select` = ? AND `orders`.`fr``om "x"` = ?;
    string(a) int64(1)

-- first
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`id` LIMIT ?;
    int64(1)

-- one
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL LIMIT ?;
    int64(2)

-- count
SELECT COUNT(*) FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL AND t1.`name` = ?;
    string(x)

-- count of a part
SELECT COUNT(*) FROM (SELECT `novels`.`id` FROM `novels` WHERE `novels`.`deleted_at` IS NULL LIMIT ?) AS counted;
    int64(3)

-- count of different ones
SELECT COUNT(*) FROM (SELECT DISTINCT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL) AS counted;

-- exists
SELECT COUNT(*) FROM (SELECT 1 AS one FROM `novels` WHERE `novels`.`deleted_at` IS NULL AND `novels`.`title` = ? LIMIT ?) AS found;
    string(x) int64(1)

-- page
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`pages` DESC, `novels`.`id` DESC LIMIT ?;
    int64(4)

-- page after
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`deleted_at` IS NULL AND ((`novels`.`writer_id` < ? OR `novels`.`writer_id` IS NULL) OR `novels`.`writer_id` = ? AND `novels`.`id` < ?) ORDER BY `novels`.`writer_id` DESC, `novels`.`id` DESC LIMIT ?;
    int64(5) int64(5) int64(7) int64(4)

-- values
SELECT `novels`.`title` AS `title`, t1.`name` AS `writer__name`, (`novels`.`pages` * ?) AS `x`, ? AS `v` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL;
    int64(2) string(v)

-- groups
SELECT t1.`name` AS `name`, (`novels`.`pages` DIV NULLIF(?, 0)) AS `h`, COUNT(*) AS `n`, CAST(SUM((`novels`.`pages` * ?)) AS SIGNED) AS `twice`, SUM(`novels`.`price`) AS `price` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL GROUP BY t1.`name`, 2 HAVING (COUNT(*) > ? AND (((CAST(SUM((`novels`.`pages` * ?)) AS SIGNED) <> ? OR CAST(SUM((`novels`.`pages` * ?)) AS SIGNED) IS NULL)) OR (SUM(`novels`.`price`) = CAST(? AS DECIMAL(65,1))))) ORDER BY `n` DESC, `name`;
    int64(100) int64(2) int64(1) int64(2) int64(5) int64(2) string(1.50)

-- aggregates
SELECT COUNT(*) AS `count`, COUNT(DISTINCT `novels`.`writer_id`) AS `writer__count`, CAST(SUM(`novels`.`pages`) AS SIGNED) AS `pages__sum`, AVG(`novels`.`pages` + 0e0) AS `pages__avg`, AVG(`novels`.`price` + 0e0) AS `price__avg`, MIN(`novels`.`title`) AS `title__min`, MAX(`novels`.`created_at`) AS `created_at__max` FROM `novels` WHERE `novels`.`deleted_at` IS NULL;

-- create
INSERT INTO `novels` (`created_at`, `updated_at`, `deleted_at`, `title`, `pages`, `price`, `writer_id`, `version`) VALUES (?, ?, ?, ?, ?, ?, ?, ?);
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(1)

-- create with a key
INSERT INTO `novels` (`id`, `created_at`, `updated_at`, `deleted_at`, `title`, `pages`, `price`, `writer_id`, `version`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
    int64(7) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(3)

-- create with nothing
INSERT INTO `key_onlies` () VALUES ();

-- create with odd names
INSERT INTO `orders` (`select`, `fr``om "x"`, `where`, `group`, `limit`) VALUES (?, ?, ?, ?, ?);
    string(s) int64(0) string(o'cl\ock) bool(true) float64(1.5)

-- create many
INSERT INTO `novels` (`created_at`, `updated_at`, `deleted_at`, `title`, `pages`, `price`, `writer_id`, `version`) VALUES (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?);
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(a) int64(0) string(1.50) <nil>(<nil>) int64(1) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(b) int64(0) string(1.50) <nil>(<nil>) int64(1)

-- create many, some without a value
INSERT INTO `novels` (`created_at`, `updated_at`, `deleted_at`, `title`, `pages`, `price`, `writer_id`, `version`) VALUES (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?);
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(a) int64(0) string(1.50) <nil>(<nil>) int64(1) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(b) int64(0) string(1.50) int64(0) int64(1) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(c) int64(0) string(1.50) <nil>(<nil>) int64(1)

-- create many with keys and odd names
INSERT INTO `orders` (`select`, `fr``om "x"`, `where`, `group`, `limit`) VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?);
    string(s) int64(1) string(o'cl\ock) bool(true) float64(1.5) string(t) int64(2) string(o'cl\ock) bool(true) float64(1.5)

-- create many with an array
INSERT INTO `racks` (`id`, `tags`) VALUES (?, ?), (?, ?);
    int64(1) string({a,b}) int64(2) string({})

-- save
UPDATE `novels` SET `updated_at` = ?, `deleted_at` = ?, `title` = ?, `pages` = ?, `price` = ?, `writer_id` = ?, `version` = `version` + 1 WHERE `id` = ? AND `version` = ?;
    string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(0.00) <nil>(<nil>) int64(7) int64(3)

-- save only
UPDATE `novels` SET `updated_at` = ?, `pages` = ?, `version` = `version` + 1 WHERE `id` = ? AND `version` = ?;
    string(2030-01-02T03:04:05.678901Z) int64(0) int64(7) int64(3)

-- save by two keys
UPDATE `orders` SET `where` = ?, `group` = ?, `limit` = ? WHERE `select` = ? AND `fr``om "x"` = ?;
    <nil>(<nil>) bool(false) float64(0) string(s) int64(1)

-- delete
UPDATE `novels` SET `deleted_at` = ?, `version` = `version` + 1 WHERE `id` = ? AND `version` = ?;
    string(2030-01-02T03:04:05.678901Z) int64(7) int64(3)

-- restore
UPDATE `novels` SET `deleted_at` = ?, `version` = `version` + 1 WHERE `id` = ? AND `version` = ?;
    <nil>(<nil>) int64(7) int64(3)

-- destroy
DELETE FROM `novels` WHERE `id` = ? AND `version` = ?;
    int64(7) int64(3)

-- upsert
INSERT INTO `novels` (`id`, `created_at`, `updated_at`, `deleted_at`, `title`, `pages`, `price`, `writer_id`, `version`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE `updated_at` = VALUES(`updated_at`), `deleted_at` = VALUES(`deleted_at`), `title` = VALUES(`title`), `pages` = VALUES(`pages`), `price` = VALUES(`price`), `writer_id` = VALUES(`writer_id`), `version` = `novels`.`version` + 1;
    int64(7) string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) string(t) int64(0) string(1.50) <nil>(<nil>) int64(3)
SELECT `novels`.`id`, `novels`.`created_at`, `novels`.`updated_at`, `novels`.`deleted_at`, `novels`.`title`, `novels`.`pages`, `novels`.`price`, `novels`.`writer_id`, `novels`.`version` FROM `novels` WHERE `novels`.`id` = ? LIMIT ?;
    int64(7) int64(2)

-- upsert by another key
INSERT INTO `writers` (`created_at`, `updated_at`, `name`, `age`, `limit`, `mentor_id`) VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE `updated_at` = VALUES(`updated_at`), `age` = VALUES(`age`), `limit` = VALUES(`limit`), `mentor_id` = VALUES(`mentor_id`);
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) string(x) <nil>(<nil>) int64(0) <nil>(<nil>)
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE `writers`.`name` = ? LIMIT ?;
    string(x) int64(2)

-- upsert with both keys
UPDATE `writers` SET `updated_at` = ?, `age` = ?, `limit` = ?, `mentor_id` = ? WHERE `name` = ?;
    string(2030-01-02T03:04:05.678901Z) <nil>(<nil>) int64(0) <nil>(<nil>) string(x)
SELECT `writers`.`id`, `writers`.`created_at`, `writers`.`updated_at`, `writers`.`name`, `writers`.`age`, `writers`.`limit`, `writers`.`mentor_id` FROM `writers` WHERE `writers`.`name` = ? LIMIT ?;
    string(x) int64(2)

-- upsert by two keys
UPDATE `orders` SET `where` = ? WHERE `group` = ? AND `limit` = ?;
    string(o'cl\ock) bool(true) float64(1.5)
SELECT `orders`.`select`, `orders`.`fr``om "x"`, `orders`.`where`, `orders`.`group`, `orders`.`limit` FROM `orders` WHERE `orders`.`group` = ? AND `orders`.`limit` = ? LIMIT ?;
    bool(true) float64(1.5) int64(2)

-- link
INSERT INTO `clubs_writers` (`writer_id`, `club_id`) VALUES (?, ?), (?, ?) ON DUPLICATE KEY UPDATE `writer_id` = `writer_id`;
    int64(5) string(a) int64(5) string(b)

-- unlink
DELETE FROM `clubs_writers` WHERE `writer_id` = ? AND `club_id` IN (?, ?);
    int64(5) string(a) string(b)

-- update constants
UPDATE `novels` SET `updated_at` = ?, `pages` = ?, `price` = ?, `writer_id` = NULL, `version` = (`novels`.`version` + ?) WHERE `novels`.`deleted_at` IS NULL AND `novels`.`title` = ?;
    string(2030-01-02T03:04:05.678901Z) int64(1) string(2.5) int64(1) string(x)

-- update expressions
UPDATE `novels` SET `updated_at` = ?, `title` = concat(`novels`.`title`, ?), `pages` = (`novels`.`pages` * ?), `price` = (`novels`.`price` / NULLIF(CAST(? AS DECIMAL(65,0)), 0)), `version` = (`novels`.`version` + ?) WHERE `novels`.`deleted_at` IS NULL;
    string(2030-01-02T03:04:05.678901Z) string(!) float64(1.5) string(3) int64(1)

-- update over a relation
UPDATE `novels` SET `updated_at` = ?, `pages` = ?, `version` = (`novels`.`version` + ?) WHERE `novels`.`id` IN (SELECT chosen.`id` FROM (SELECT `novels`.`id` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL AND t1.`name` = ?) AS chosen);
    string(2030-01-02T03:04:05.678901Z) int64(1) int64(1) string(x)

-- update over many
UPDATE `novels` SET `updated_at` = ?, `pages` = ?, `version` = (`novels`.`version` + ?) WHERE `novels`.`id` IN (SELECT chosen.`id` FROM (SELECT `novels`.`id` FROM `novels` WHERE `novels`.`deleted_at` IS NULL AND EXISTS (SELECT 1 FROM `reviews` AS t1 WHERE t1.`novel_id` = `novels`.`id` AND t1.`stars` = ?)) AS chosen);
    string(2030-01-02T03:04:05.678901Z) int64(1) int64(1) int64(1)

-- update with a limit
UPDATE `novels` SET `updated_at` = ?, `pages` = ?, `version` = (`novels`.`version` + ?) WHERE `novels`.`id` IN (SELECT chosen.`id` FROM (SELECT `novels`.`id` FROM `novels` WHERE `novels`.`deleted_at` IS NULL ORDER BY `novels`.`pages` DESC LIMIT ?) AS chosen);
    string(2030-01-02T03:04:05.678901Z) int64(1) int64(1) int64(2)

-- delete rows
UPDATE `novels` SET `updated_at` = ?, `deleted_at` = ?, `version` = (`novels`.`version` + ?) WHERE `novels`.`deleted_at` IS NULL AND `novels`.`pages` = ?;
    string(2030-01-02T03:04:05.678901Z) string(2030-01-02T03:04:05.678901Z) int64(1) int64(1)

-- destroy rows
DELETE FROM `novels` WHERE `novels`.`deleted_at` IS NULL AND `novels`.`pages` = ?;
    int64(1)

-- destroy rows over a relation
DELETE FROM `novels` WHERE `novels`.`id` IN (SELECT chosen.`id` FROM (SELECT `novels`.`id` FROM `novels` LEFT JOIN `writers` AS t1 ON t1.`id` = `novels`.`writer_id` WHERE `novels`.`deleted_at` IS NULL AND t1.`name` = ?) AS chosen);
    string(x)

-- create table
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?;
    string(samples)
CREATE TABLE `samples` (`id` bigint NOT NULL AUTO_INCREMENT, `label` varchar(10) NOT NULL, `int` bigint NOT NULL, `int8` tinyint NOT NULL, `int16` smallint NOT NULL, `int32` int NOT NULL, `uint` bigint unsigned NOT NULL, `uint8` tinyint unsigned NOT NULL, `uint16` smallint unsigned NOT NULL, `uint32` int unsigned NOT NULL, `float` double NOT NULL, `float32` float NOT NULL, `text` longtext NOT NULL, `sized` varchar(20) NOT NULL, `bool` boolean NOT NULL, `bytes` longblob NOT NULL, `at` datetime(6) NOT NULL, `uuid` char(36) NOT NULL, `price` decimal(12,2) NOT NULL, `took` bigint NOT NULL, `kind` longtext NOT NULL, `address` longtext NOT NULL, `meta` json NOT NULL, `int_n` bigint, `int8_n` tinyint, `uint_n` int unsigned, `float_n` double, `text_n` longtext, `bool_n` boolean, `bytes_n` longblob, `at_n` datetime(6), `uuidn` char(36), `price_n` decimal(12,2), `took_n` bigint, `kind_n` longtext, `address_n` longtext, `string_n` longtext, `time_n` datetime(6), `number_n` int, `zero` varchar(20), `meta_n` json, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100201 COLLATE utf8mb4_nopad_bin */;
CREATE UNIQUE INDEX `samples_label_key` ON `samples` (`label`);
CREATE INDEX `samples_sized_idx` ON `samples` (`sized`);

-- create tables that refer to each other
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?;
    string(writers)
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?;
    string(clubs)
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?;
    string(clubs_writers)
CREATE TABLE `writers` (`id` bigint NOT NULL AUTO_INCREMENT, `created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL, `name` varchar(60) NOT NULL, `age` bigint, `limit` bigint NOT NULL, `mentor_id` bigint, PRIMARY KEY (`id`), CONSTRAINT `writers_mentor_id_fkey` FOREIGN KEY (`mentor_id`) REFERENCES `writers` (`id`) ON DELETE SET NULL) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100201 COLLATE utf8mb4_nopad_bin */;
CREATE UNIQUE INDEX `writers_name_key` ON `writers` (`name`);
CREATE INDEX `writers_mentor_id_idx` ON `writers` (`mentor_id`);
CREATE TABLE `clubs` (`code` varchar(20) NOT NULL, `title` longtext NOT NULL, PRIMARY KEY (`code`)) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100201 COLLATE utf8mb4_nopad_bin */;
CREATE TABLE `clubs_writers` (`writer_id` bigint NOT NULL, `club_id` varchar(20) NOT NULL, PRIMARY KEY (`writer_id`, `club_id`), CONSTRAINT `clubs_writers_writer_id_fkey` FOREIGN KEY (`writer_id`) REFERENCES `writers` (`id`) ON DELETE CASCADE, CONSTRAINT `clubs_writers_club_id_fkey` FOREIGN KEY (`club_id`) REFERENCES `clubs` (`code`) ON DELETE CASCADE) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100201 COLLATE utf8mb4_nopad_bin */;
CREATE INDEX `clubs_writers_club_id_idx` ON `clubs_writers` (`club_id`);

-- create a table with odd names
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?;
    string(orders)
CREATE TABLE `orders` (`select` varchar(20) NOT NULL, `fr``om "x"` bigint NOT NULL, `where` varchar(255) DEFAULT 'o''cl\\ock', `group` boolean NOT NULL DEFAULT 1, `limit` double NOT NULL DEFAULT 1.5, PRIMARY KEY (`select`, `fr``om "x"`)) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100201 COLLATE utf8mb4_nopad_bin */;
CREATE INDEX `orders_by_where_idx` ON `orders` (`where`, `limit`);
CREATE UNIQUE INDEX `orders_pair_key` ON `orders` (`group`, `limit`);

-- create a table of a key
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?;
    string(key_onlies)
CREATE TABLE `key_onlies` (`id` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100201 COLLATE utf8mb4_nopad_bin */;

-- drop table
DROP TABLE IF EXISTS `orders`;

