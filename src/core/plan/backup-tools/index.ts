// The list of backup tools: one line each.
import { pgDump } from './pg-dump.ts';

export const backupTools = { pg_dump: pgDump } as const;

export type BackupToolKey = keyof typeof backupTools;
