-- What `footfall import` has put into the queue, so that no line is loaded twice and none is left out, whenever it ends.

-- One row for each run. Before a flush is pushed it is written here, together with the positions of the logs behind it:
-- whoever finds it here after the run has died pushes it (again, perhaps) under the same name and number.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_import` (
  `idimport` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `producer` char(32) CHARACTER SET ascii NOT NULL COMMENT 'the name that its flushes are pushed under',
  `sequence` bigint(20) unsigned NOT NULL DEFAULT 0 COMMENT 'of the latest flush',
  `flush` mediumblob DEFAULT NULL COMMENT 'the latest flush as long as nobody knows that it is in the queue',
  `requests` bigint(20) unsigned NOT NULL DEFAULT 0 COMMENT 'of all its flushes',
  `ts_started` datetime NOT NULL,
  `ts_updated` datetime NOT NULL,
  PRIMARY KEY (`idimport`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- One row for each log that was ever read, found again by how it begins, whatever it is called by then.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_import_log` (
  `idlog` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `idimport` bigint(20) unsigned NOT NULL COMMENT 'the run that reads it, or read it last',
  `fingerprint` binary(32) NOT NULL COMMENT 'SHA-256 of its first bytes',
  `fingerprint_bytes` int(10) unsigned NOT NULL COMMENT 'how many',
  `path` varchar(1024) NOT NULL COMMENT 'where it was found last',
  `position` bigint(20) unsigned NOT NULL COMMENT 'bytes of its uncompressed content that are in the queue, or in the flush of its run',
  `header` text NOT NULL COMMENT 'what its format has to know to go on from there',
  `ts_started` datetime NOT NULL,
  `ts_updated` datetime NOT NULL,
  PRIMARY KEY (`idlog`),
  UNIQUE KEY `index_fingerprint` (`fingerprint`, `fingerprint_bytes`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
