-- Removing actions that no log row refers to any more, beside workers that keep the ids of actions in memory
-- (docs/architecture.md, "Removing old log data").

-- Actions that lost a reference when log rows were removed: perhaps nothing refers to them now.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_suspect_action` (
  `idaction` int(10) unsigned NOT NULL,
  PRIMARY KEY (`idaction`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- A number that every recording transaction reads under a shared lock. Who raises it has waited for all transactions
-- that have read it, and those that come later know that what they keep in memory is too old.
CREATE TABLE IF NOT EXISTS `{prefix}footfall_barrier` (
  `name` varchar(32) CHARACTER SET ascii NOT NULL,
  `number` bigint(20) unsigned NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

INSERT IGNORE INTO `{prefix}footfall_barrier` (`name`, `number`) VALUES ('actions', 1);
