// Functions of PostgreSQL and its extensions that a check, a monitor or a rule may not call, because no read-only
// transaction and no rollback holds what they do.

const ACTING = [
  // Other databases and files of the server.
  String.raw`dblink(?:_\w+)?|pg_read_(?:binary_)?file|pg_ls_dir|pg_file_\w+|lo_(?:import|export)`,
  // Other sessions and the server itself.
  String.raw`pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_promote`,
  String.raw`pg_wal_replay_\w+|pg_(?:start|stop)_backup|pg_backup_\w+|pg_log_\w+|pg_export_snapshot`,
  String.raw`pg_(?:try_)?advisory_\w+|pg_notify|pg_logical_\w+|pg_replication_\w+|pg_stat_reset\w*`,
  String.raw`pg_create_\w+|pg_drop_\w+|pg_copy_\w+|pg_sync_\w+|pg_import_system_collations|set_config`,
  // Large objects and sequences, and indexes that are worked on.
  String.raw`lo_(?:creat|create|unlink|put|from_bytea|truncate|truncate64|open)|lowrite|nextval|setval`,
  String.raw`brin_(?:summarize|desummarize)_\w+|gin_clean_pending_list`,
  // Whatever SQL they are given as text.
  String.raw`(?:query|cursor)_to_xml\w*|ts_stat|ts_rewrite|crosstab\w*|connectby|xpath_table`,
].join('|');
const NAME = new RegExp(`^(?:${ACTING})$`, 'u');

/** Those of the called functions that act, by name. */
export const actingFunctions = (called: readonly string[]): readonly string[] =>
  called.filter((name) => NAME.test(name));
