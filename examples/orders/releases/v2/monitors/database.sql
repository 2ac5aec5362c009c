-- Counters of this database since its statistics were last reset; Soakgate reads the difference.
select xact_commit as commits, xact_rollback as rollbacks, deadlocks, stats_reset
from pg_stat_database
where datname = current_database();
