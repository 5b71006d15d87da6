-- What is ours, beside Matomo's tables.

-- How much of each queue shard is recorded. Updated in the transaction that writes the log rows, which is what makes
-- recording exactly-once. `generation` names the life of the Redis data: a flushed or replaced Redis starts a new one.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_shard` (
  `generation` char(32) CHARACTER SET ascii NOT NULL,
  `shard` varchar(32) CHARACTER SET ascii NOT NULL,
  `recorded` bigint(20) unsigned NOT NULL DEFAULT 0 COMMENT 'requests of this shard that are in the log tables',
  `fence` bigint(20) unsigned NOT NULL DEFAULT 0 COMMENT 'fencing number of the last lease that wrote',
  `ts_updated` datetime NOT NULL,
  PRIMARY KEY (`generation`, `shard`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Requests that could not be recorded, each with its reason; written in the same transaction as its batch.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_dead_letter` (
  `iddeadletter` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `idsite` int(10) unsigned DEFAULT NULL,
  `shard` varchar(32) CHARACTER SET ascii NOT NULL,
  `ts_received` datetime NOT NULL,
  `ts_rejected` datetime NOT NULL,
  `reason` varchar(255) NOT NULL,
  `record` mediumblob NOT NULL COMMENT 'the tracking request record as it lay in the queue',
  PRIMARY KEY (`iddeadletter`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Site-days (in the site's timezone) that received log data and were not archived since: what `archive_cli run` has
-- to do. A row is written by the transaction that records the requests and removed before the day's log is read.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_touched_day` (
  `idsite` int(10) unsigned NOT NULL,
  `date1` date NOT NULL,
  `ts_touched` datetime NOT NULL,
  PRIMARY KEY (`idsite`, `date1`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Devices by user agent, found once and shared by all workers (detection costs 12 ms, see docs/architecture.md).
CREATE TABLE IF NOT EXISTS `{prefix}footfall_device` (
  `hash` binary(16) NOT NULL COMMENT 'of the user agent, the client hints and the detector version',
  `device` varbinary(1000) NOT NULL COMMENT 'msgpack',
  `ts_detected` datetime NOT NULL,
  PRIMARY KEY (`hash`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
