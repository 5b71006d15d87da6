-- One pair of tables per month ({month} is YYYY_MM), made when the first archive of that month is written.
-- An archive belongs to the month of its first day.

CREATE TABLE IF NOT EXISTS `{prefix}archive_numeric_{month}` (
  `idarchive` int(10) unsigned NOT NULL,
  `name` varchar(190) NOT NULL,
  `idsite` int(10) unsigned DEFAULT NULL,
  `date1` date DEFAULT NULL,
  `date2` date DEFAULT NULL,
  `period` tinyint(3) unsigned DEFAULT NULL,
  `ts_archived` datetime DEFAULT NULL,
  `value` double DEFAULT NULL,
  PRIMARY KEY (`idarchive`, `name`),
  KEY `index_idsite_dates_period` (`idsite`, `date1`, `date2`, `period`, `name`(6)),
  KEY `index_period_archived` (`period`, `ts_archived`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS `{prefix}archive_blob_{month}` (
  `idarchive` int(10) unsigned NOT NULL,
  `name` varchar(190) NOT NULL,
  `idsite` int(10) unsigned DEFAULT NULL,
  `date1` date DEFAULT NULL,
  `date2` date DEFAULT NULL,
  `period` tinyint(3) unsigned DEFAULT NULL,
  `ts_archived` datetime DEFAULT NULL,
  `value` mediumblob DEFAULT NULL,
  PRIMARY KEY (`idarchive`, `name`),
  KEY `index_period_archived` (`period`, `ts_archived`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
