-- The queue of QUEUE_BACKEND=mysql (footfall/queue/sql/); empty with another one.

-- A lane: the generation of its data, and the layouts (numbers of shards) in the order in which they came into use.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_lane` (
  `lane` varchar(16) NOT NULL,
  `generation` varchar(32) NOT NULL,
  `run` varchar(32) NOT NULL,
  `layouts` varchar(1000) NOT NULL,
  PRIMARY KEY (`lane`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A shard as drains change it.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_shard` (
  `shard` varchar(32) NOT NULL,
  `lane` varchar(16) NOT NULL,
  `trimmed` bigint(20) NOT NULL DEFAULT 0 COMMENT 'requests that were ever removed',
  `removed` bigint(20) NOT NULL DEFAULT 0 COMMENT 'bytes of rows that were ever removed',
  `fence` bigint(20) NOT NULL DEFAULT 0,
  `holder` varchar(255) NOT NULL DEFAULT '',
  `leased_at` double NOT NULL DEFAULT 0,
  `leased_until` double NOT NULL DEFAULT 0 COMMENT 'Unix time; no lease when it is over',
  PRIMARY KEY (`shard`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The same shard as pushes change it, so that they do not wait for drains.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_tail` (
  `shard` varchar(32) NOT NULL,
  `ended` bigint(20) NOT NULL DEFAULT 0 COMMENT 'requests that were ever pushed',
  `bytes` bigint(20) NOT NULL DEFAULT 0 COMMENT 'bytes of rows that were ever pushed',
  PRIMARY KEY (`shard`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Requests of one shard that were pushed together, from offset `begins` on.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_chunk` (
  `shard` varchar(32) NOT NULL,
  `begins` bigint(20) NOT NULL,
  `requests` int(10) NOT NULL,
  `bytes` int(10) NOT NULL,
  `records` longblob NOT NULL,
  PRIMARY KEY (`shard`, `begins`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The number of each producer's last flush.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_flushed` (
  `producer` varchar(255) NOT NULL,
  `sequence` bigint(20) NOT NULL,
  `flushed_at` double NOT NULL,
  PRIMARY KEY (`producer`),
  KEY `flushed_at` (`flushed_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Small values that all processes share, some of which vanish by themselves.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_value` (
  `collection` varchar(64) NOT NULL,
  `name` varchar(500) NOT NULL,
  `value` mediumblob NOT NULL,
  `expires_at` double DEFAULT NULL,
  PRIMARY KEY (`collection`, `name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What all processes counted (footfall/metrics/declared.py).
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_count` (
  `name` varchar(255) NOT NULL,
  `value` bigint(20) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Other work for workers: archives that reports wait for.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_queue_job` (
  `number` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `job` varchar(255) NOT NULL,
  `arguments` mediumtext NOT NULL,
  PRIMARY KEY (`number`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
