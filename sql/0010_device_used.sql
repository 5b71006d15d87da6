-- When a device was last read by a process that did not keep it in memory, to within a week: `archive_cli purge` removes
-- devices by it (DEVICE_DAYS). Empty for rows of versions before.

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}footfall_device' AND column_name = 'date_used') = 0,
  'ALTER TABLE `{prefix}footfall_device` ADD COLUMN `date_used` date DEFAULT NULL, ADD KEY `date_used` (`date_used`)', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;
