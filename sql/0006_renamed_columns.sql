-- Columns that older documents and tools name and Matomo 5 renamed, as generated columns (virtual: they take no space).
-- MySQL has no ADD COLUMN IF NOT EXISTS, so each is added by a prepared statement when it is missing.

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}log_visit' AND column_name = 'visitor_days_since_last') = 0,
  'ALTER TABLE `{prefix}log_visit` ADD COLUMN `visitor_days_since_last` int(11) unsigned GENERATED ALWAYS AS (FLOOR(`visitor_seconds_since_last` / 86400)) VIRTUAL', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}log_visit' AND column_name = 'visitor_days_since_first') = 0,
  'ALTER TABLE `{prefix}log_visit` ADD COLUMN `visitor_days_since_first` int(11) unsigned GENERATED ALWAYS AS (FLOOR(`visitor_seconds_since_first` / 86400)) VIRTUAL', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}log_visit' AND column_name = 'visitor_days_since_order') = 0,
  'ALTER TABLE `{prefix}log_visit` ADD COLUMN `visitor_days_since_order` int(11) unsigned GENERATED ALWAYS AS (FLOOR(`visitor_seconds_since_order` / 86400)) VIRTUAL', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}log_conversion' AND column_name = 'visitor_days_since_first') = 0,
  'ALTER TABLE `{prefix}log_conversion` ADD COLUMN `visitor_days_since_first` int(11) unsigned GENERATED ALWAYS AS (FLOOR(`visitor_seconds_since_first` / 86400)) VIRTUAL', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}log_conversion' AND column_name = 'visitor_days_since_order') = 0,
  'ALTER TABLE `{prefix}log_conversion` ADD COLUMN `visitor_days_since_order` int(11) unsigned GENERATED ALWAYS AS (FLOOR(`visitor_seconds_since_order` / 86400)) VIRTUAL', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}log_link_visit_action' AND column_name = 'interaction_position') = 0,
  'ALTER TABLE `{prefix}log_link_visit_action` ADD COLUMN `interaction_position` mediumint(8) unsigned GENERATED ALWAYS AS (`pageview_position`) VIRTUAL', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;
