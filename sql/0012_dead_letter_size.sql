-- How much the dead letters take that anybody can cause, for DEAD_LETTER_BYTES: an index of requests that the rules
-- rejected, with their sizes, so that neither needs their records read.

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = '{prefix}footfall_dead_letter' AND column_name = 'rejected') = 0,
  'ALTER TABLE `{prefix}footfall_dead_letter` ADD COLUMN `rejected` tinyint(1) GENERATED ALWAYS AS (LOCATE(''It cannot be recorded'', `reason`) <> 1 AND LOCATE(''The record cannot be read'', `reason`) <> 1) VIRTUAL, ADD COLUMN `size` int(10) unsigned GENERATED ALWAYS AS (LENGTH(`record`)) VIRTUAL, ADD KEY `index_rejected` (`rejected`, `iddeadletter`, `size`)', 'DO 0');
PREPARE migration FROM @statement;
EXECUTE migration;
DEALLOCATE PREPARE migration;
