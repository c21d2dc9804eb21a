-- migrate: up
CREATE TABLE `artists` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `name` varchar(120) NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `artists_name_idx` (`name`)
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `genres` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `name` varchar(120) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `genres_name_key` (`name`)
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `albums` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `title` varchar(160) NOT NULL,
  `artist_id` bigint NOT NULL,
  `genre_id` bigint NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `albums_title_idx` (`title`),
  INDEX `albums_artist_id_idx` (`artist_id`),
  INDEX `albums_genre_id_idx` (`genre_id`),
  CONSTRAINT `albums_artist_id_fkey` FOREIGN KEY (`artist_id`) REFERENCES `artists` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT `albums_genre_id_fkey` FOREIGN KEY (`genre_id`) REFERENCES `genres` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `employees` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `last_name` varchar(20) NOT NULL,
  `first_name` varchar(20) NOT NULL,
  `title` varchar(30) NOT NULL,
  `reports_to_id` bigint NULL,
  `birth_date` datetime(6) NOT NULL,
  `hire_date` datetime(6) NOT NULL,
  `address` varchar(70) NULL,
  `city` varchar(40) NULL,
  `state` varchar(40) NULL,
  `country` varchar(40) NULL,
  `postal_code` varchar(10) NULL,
  `phone` varchar(24) NULL,
  `fax` varchar(24) NULL,
  `email` varchar(60) NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `employees_reports_to_id_idx` (`reports_to_id`),
  CONSTRAINT `employees_reports_to_id_fkey` FOREIGN KEY (`reports_to_id`) REFERENCES `employees` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `customers` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `first_name` varchar(40) NOT NULL,
  `last_name` varchar(20) NOT NULL,
  `company` varchar(80) NULL,
  `address` varchar(70) NULL,
  `city` varchar(40) NULL,
  `state` varchar(40) NULL,
  `country` varchar(40) NULL,
  `postal_code` varchar(10) NULL,
  `phone` varchar(24) NULL,
  `fax` varchar(24) NULL,
  `email` varchar(60) NOT NULL,
  `support_rep_id` bigint NULL,
  PRIMARY KEY (`id`),
  INDEX `customers_support_rep_id_idx` (`support_rep_id`),
  CONSTRAINT `customers_support_rep_id_fkey` FOREIGN KEY (`support_rep_id`) REFERENCES `employees` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `invoices` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `number` varchar(36) NULL,
  `customer_id` bigint NULL,
  `date` datetime(6) NOT NULL,
  `address` varchar(70) NULL,
  `city` varchar(40) NULL,
  `state` varchar(40) NULL,
  `country` varchar(40) NULL,
  `postal_code` varchar(10) NULL,
  `total` decimal(10,2) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `invoices_number_key` (`number`),
  INDEX `invoices_date_idx` (`date`),
  INDEX `invoices_customer_id_idx` (`customer_id`),
  CONSTRAINT `invoices_customer_id_fkey` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `media_types` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `name` varchar(120) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `media_types_name_key` (`name`)
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `tracks` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `name` varchar(200) NOT NULL,
  `album_id` bigint NOT NULL,
  `media_type_id` bigint NOT NULL,
  `genre_id` bigint NOT NULL,
  `composer` varchar(220) NULL,
  `milliseconds` bigint NOT NULL,
  `bytes` bigint NOT NULL,
  `unit_price` decimal(10,2) NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `tracks_album_id_idx` (`album_id`),
  INDEX `tracks_media_type_id_idx` (`media_type_id`),
  INDEX `tracks_genre_id_idx` (`genre_id`),
  CONSTRAINT `tracks_album_id_fkey` FOREIGN KEY (`album_id`) REFERENCES `albums` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT `tracks_media_type_id_fkey` FOREIGN KEY (`media_type_id`) REFERENCES `media_types` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT `tracks_genre_id_fkey` FOREIGN KEY (`genre_id`) REFERENCES `genres` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `invoice_lines` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `invoice_id` bigint NOT NULL,
  `track_id` bigint NOT NULL,
  `unit_price` decimal(10,2) NOT NULL,
  `quantity` bigint NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `invoice_lines_invoice_id_idx` (`invoice_id`),
  INDEX `invoice_lines_track_id_idx` (`track_id`),
  CONSTRAINT `invoice_lines_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `invoice_lines_track_id_fkey` FOREIGN KEY (`track_id`) REFERENCES `tracks` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `playlists` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `name` varchar(120) NOT NULL,
  PRIMARY KEY (`id`)
) CHARSET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE `playlist_tracks` (
  `playlist_id` bigint NOT NULL,
  `track_id` bigint NOT NULL,
  PRIMARY KEY (`playlist_id`, `track_id`),
  INDEX `playlist_tracks_track_id_idx` (`track_id`),
  CONSTRAINT `playlist_tracks_playlist_id_fkey` FOREIGN KEY (`playlist_id`) REFERENCES `playlists` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `playlist_tracks_track_id_fkey` FOREIGN KEY (`track_id`) REFERENCES `tracks` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
) CHARSET utf8mb4 COLLATE utf8mb4_bin;

-- migrate: down
ALTER TABLE `albums` DROP FOREIGN KEY `albums_artist_id_fkey`, DROP FOREIGN KEY `albums_genre_id_fkey`;
ALTER TABLE `tracks` DROP FOREIGN KEY `tracks_album_id_fkey`, DROP FOREIGN KEY `tracks_media_type_id_fkey`, DROP FOREIGN KEY `tracks_genre_id_fkey`;
ALTER TABLE `playlist_tracks` DROP FOREIGN KEY `playlist_tracks_playlist_id_fkey`, DROP FOREIGN KEY `playlist_tracks_track_id_fkey`;
ALTER TABLE `customers` DROP FOREIGN KEY `customers_support_rep_id_fkey`;
ALTER TABLE `invoices` DROP FOREIGN KEY `invoices_customer_id_fkey`;
ALTER TABLE `invoice_lines` DROP FOREIGN KEY `invoice_lines_invoice_id_fkey`, DROP FOREIGN KEY `invoice_lines_track_id_fkey`;
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
