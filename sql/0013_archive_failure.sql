-- Why an archive could not be made the last time (`archive_cli status`); the row goes when the archive is made.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_archive_failure` (
  `idsite` int(10) unsigned NOT NULL,
  `period` tinyint(3) unsigned NOT NULL,
  `date1` date NOT NULL,
  `date2` date NOT NULL,
  `name` varchar(190) NOT NULL COMMENT 'of the done flag',
  `ts_failed` datetime NOT NULL,
  `attempts` int(10) unsigned NOT NULL,
  `reason` varchar(500) NOT NULL,
  PRIMARY KEY (`idsite`, `period`, `date1`, `date2`, `name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
