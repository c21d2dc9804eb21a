-- migrate: up
CREATE TABLE `members` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `email` varchar NOT NULL,
  `name` varchar NOT NULL,
  `hash` varchar NOT NULL,
  `joined` datetime NOT NULL
);
CREATE UNIQUE INDEX `members_email_key` ON `members` (`email`);

-- migrate: down
DROP TABLE `members`;
