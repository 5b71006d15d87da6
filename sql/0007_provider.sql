-- The visitor's provider, by reverse DNS (PROVIDER_LOOKUP_MILLISECONDS); the column of Matomo's plugin Provider, left as
-- it is where the plugin made it.

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}log_visit' AND column_name = 'location_provider') = 0,
  'ALTER TABLE `{prefix}log_visit` ADD COLUMN `location_provider` varchar(200) DEFAULT NULL', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;
