-- migrate: up
CREATE TABLE `members` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `email` varchar(254) NOT NULL,
  `name` varchar(80) NOT NULL,
  `hash` varchar(255) NOT NULL,
  `joined` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `members_email_key` (`email`)
) CHARSET utf8mb4 COLLATE utf8mb4_bin;

-- migrate: down
DROP TABLE `members`;
