-- migrate: up
CREATE TABLE `genres` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` varchar NOT NULL
);
CREATE UNIQUE INDEX `genres_name_key` ON `genres` (`name`);
CREATE TABLE `media_types` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` varchar NOT NULL
);
CREATE UNIQUE INDEX `media_types_name_key` ON `media_types` (`name`);
CREATE TABLE `artists` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` varchar NOT NULL
);
CREATE INDEX `artists_name_idx` ON `artists` (`name`);
CREATE TABLE `albums` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `title` varchar NOT NULL,
  `artist_id` integer NOT NULL,
  `genre_id` integer NOT NULL,
  CONSTRAINT `albums_artist_id_fkey` FOREIGN KEY (`artist_id`) REFERENCES `artists` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT `albums_genre_id_fkey` FOREIGN KEY (`genre_id`) REFERENCES `genres` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
);
CREATE INDEX `albums_title_idx` ON `albums` (`title`);
CREATE INDEX `albums_artist_id_idx` ON `albums` (`artist_id`);
CREATE INDEX `albums_genre_id_idx` ON `albums` (`genre_id`);
CREATE TABLE `tracks` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` varchar NOT NULL,
  `album_id` integer NOT NULL,
  `media_type_id` integer NOT NULL,
  `genre_id` integer NOT NULL,
  `composer` varchar NULL,
  `milliseconds` integer NOT NULL,
  `bytes` integer NOT NULL,
  `unit_price` decimal NOT NULL,
  CONSTRAINT `tracks_album_id_fkey` FOREIGN KEY (`album_id`) REFERENCES `albums` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT `tracks_media_type_id_fkey` FOREIGN KEY (`media_type_id`) REFERENCES `media_types` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT `tracks_genre_id_fkey` FOREIGN KEY (`genre_id`) REFERENCES `genres` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
);
CREATE INDEX `tracks_album_id_idx` ON `tracks` (`album_id`);
CREATE INDEX `tracks_media_type_id_idx` ON `tracks` (`media_type_id`);
CREATE INDEX `tracks_genre_id_idx` ON `tracks` (`genre_id`);
CREATE TABLE `playlists` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `name` varchar NOT NULL
);
CREATE TABLE `playlist_tracks` (
  `playlist_id` integer NOT NULL,
  `track_id` integer NOT NULL,
  PRIMARY KEY (`playlist_id`, `track_id`),
  CONSTRAINT `playlist_tracks_playlist_id_fkey` FOREIGN KEY (`playlist_id`) REFERENCES `playlists` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `playlist_tracks_track_id_fkey` FOREIGN KEY (`track_id`) REFERENCES `tracks` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
CREATE INDEX `playlist_tracks_track_id_idx` ON `playlist_tracks` (`track_id`);
CREATE TABLE `employees` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `last_name` varchar NOT NULL,
  `first_name` varchar NOT NULL,
  `title` varchar NOT NULL,
  `reports_to_id` integer NULL,
  `birth_date` datetime NOT NULL,
  `hire_date` datetime NOT NULL,
  `address` varchar NULL,
  `city` varchar NULL,
  `state` varchar NULL,
  `country` varchar NULL,
  `postal_code` varchar NULL,
  `phone` varchar NULL,
  `fax` varchar NULL,
  `email` varchar NOT NULL,
  CONSTRAINT `employees_reports_to_id_fkey` FOREIGN KEY (`reports_to_id`) REFERENCES `employees` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
);
CREATE INDEX `employees_reports_to_id_idx` ON `employees` (`reports_to_id`);
CREATE TABLE `customers` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `first_name` varchar NOT NULL,
  `last_name` varchar NOT NULL,
  `company` varchar NULL,
  `address` varchar NULL,
  `city` varchar NULL,
  `state` varchar NULL,
  `country` varchar NULL,
  `postal_code` varchar NULL,
  `phone` varchar NULL,
  `fax` varchar NULL,
  `email` varchar NOT NULL,
  `support_rep_id` integer NULL,
  CONSTRAINT `customers_support_rep_id_fkey` FOREIGN KEY (`support_rep_id`) REFERENCES `employees` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
);
CREATE INDEX `customers_support_rep_id_idx` ON `customers` (`support_rep_id`);
CREATE TABLE `invoices` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `number` varchar NULL,
  `customer_id` integer NULL,
  `date` datetime NOT NULL,
  `address` varchar NULL,
  `city` varchar NULL,
  `state` varchar NULL,
  `country` varchar NULL,
  `postal_code` varchar NULL,
  `total` decimal NOT NULL,
  CONSTRAINT `invoices_customer_id_fkey` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
);
CREATE UNIQUE INDEX `invoices_number_key` ON `invoices` (`number`);
CREATE INDEX `invoices_date_idx` ON `invoices` (`date`);
CREATE INDEX `invoices_customer_id_idx` ON `invoices` (`customer_id`);
CREATE TABLE `invoice_lines` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `invoice_id` integer NOT NULL,
  `track_id` integer NOT NULL,
  `unit_price` decimal NOT NULL,
  `quantity` integer NOT NULL,
  CONSTRAINT `invoice_lines_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `invoice_lines_track_id_fkey` FOREIGN KEY (`track_id`) REFERENCES `tracks` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
);
CREATE INDEX `invoice_lines_invoice_id_idx` ON `invoice_lines` (`invoice_id`);
CREATE INDEX `invoice_lines_track_id_idx` ON `invoice_lines` (`track_id`);

-- migrate: down
DROP TABLE `genres`;
DROP TABLE `media_types`;
DROP TABLE `artists`;
DROP TABLE `albums`;
DROP TABLE `tracks`;
DROP TABLE `playlists`;
DROP TABLE `playlist_tracks`;
DROP TABLE `employees`;
DROP TABLE `customers`;
DROP TABLE `invoices`;
DROP TABLE `invoice_lines`;
