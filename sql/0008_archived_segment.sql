-- Stored segments (table `segment`) that `archive_cli run` has taken up, by site: how it tells new ones from those it
-- knows, and which archives go when a segment is deleted.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_archived_segment` (
  `idsite` int(10) unsigned NOT NULL,
  `hash` char(32) CHARACTER SET ascii NOT NULL COMMENT 'as in the names of done flags',
  `definition` text NOT NULL,
  PRIMARY KEY (`idsite`, `hash`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
