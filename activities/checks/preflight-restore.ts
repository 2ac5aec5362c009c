// What a fallback that restores needs of the database, found now and not in the night when it is needed:
// its name can be taken, its sessions ended, its settings set again; and what would not come along.
import { replacedDatabase } from '../../src/core/ids.ts';
import type { Session } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';
import { holds, type Look, missing, some } from './preflight-rights.ts';
import { MAY_GIVE_TO, toActAs } from './role-membership.ts';

const LISTED = 5;

/** What a restore would fail for or leave behind; without such a fallback only what migrations meet, too. */
export async function looksAtRestore(work: Work, restorer: Session): Promise<readonly Look[]> {
  const [fallback] = Object.entries(work.list.fallbacks).find(([, kind]) => 'restore' in kind) ?? [];
  const prepared = await preparedTransactions(restorer, fallback !== undefined);
  if (fallback === undefined) return prepared;
  return [
    await mayRestore(restorer),
    ...prepared,
    ...(await replicationSlots(restorer, fallback, replacedDatabase(work.rollout))),
  ];
}

interface Restorer {
  /** As SQL writes them. */
  readonly role: string;
  readonly database: string;
  readonly proprietor: string;
  readonly owner: boolean;
  readonly signals: boolean;
  /** The tablespace of the database, where a restore by this role could not lie. */
  readonly tablespace: string | null;
  /** Whose sessions it may not end. */
  readonly others: readonly string[];
}

async function mayRestore(session: Session): Promise<Look> {
  const [row] = await session.query<Restorer>(
    `select quote_ident(current_user) as role, quote_ident(d.datname) as database,
       quote_ident(pg_get_userbyid(d.datdba)) as proprietor, pg_has_role(current_user, d.datdba, 'usage')
         and pg_has_role(current_user, d.datdba, ${MAY_GIVE_TO}) as owner,
       pg_has_role(current_user, 'pg_signal_backend', 'usage') as signals,
       (select quote_ident(t.spcname) from pg_tablespace t, pg_database plain where t.oid = d.dattablespace
         and plain.datname = 'template0' and t.oid <> plain.dattablespace
         and not has_tablespace_privilege(current_user, t.oid, 'create')) as tablespace,
       (select coalesce(array_agg(distinct usename::text), '{}') from pg_stat_activity a
       where a.datname = d.datname and not pg_has_role(current_user, a.usesysid, 'usage')) as others
     from pg_database d where d.datname = current_database()`,
  );
  if (!row?.owner) return notOwner(session, row!);
  if (!row.signals && row.others.length > 0) {
    const { why, statements } = await toActAs(session, ['pg_signal_backend']);
    return missing(
      `role ${row.role} may not end the sessions of ${row.others.join(', ')}, which a restore must${why}: ` +
        statements,
    );
  }
  if (row.tablespace !== null)
    return missing(
      `role ${row.role} may not create databases in tablespace ${row.tablespace}, where this one lies, so a ` +
        `restore would lie elsewhere: grant create on tablespace ${row.tablespace} to ${row.role}`,
    );
  const settings = await unsettable(session);
  if (settings.length > 0)
    return missing(
      `role ${row.role} may not set ${settings.map(({ what }) => what).join(', ')}, which this database ` +
        `has and a restore must set again: ${settings.map(({ grant }) => grant).join('; ')}`,
    );
  return holds(`role ${row.role} may restore: it owns the database and may end its sessions`);
}

/** A member that does not inherit is told so; who is none may be given the database itself. */
async function notOwner(session: Session, { role, database, proprietor }: Restorer): Promise<Look> {
  const { why, statements } = await toActAs(session, [proprietor]);
  return missing(
    `role ${role} does not own this database, so a restore could not take its name` +
      (why === '' ? `: alter database ${database} owner to ${role}` : `${why}: ${statements}`),
  );
}

/** Settings of the database, or of roles in it, that this role may not give to a restored one. */
function unsettable(session: Session): Promise<readonly { what: string; grant: string }[]> {
  return session.query<{ what: string; grant: string }>(
    `select split_part(c, '=', 1) || case when setrole = 0 then '' else ' of ' || setrole::regrole end
         as what,
       case when setrole = 0 then 'grant set on parameter ' || split_part(c, '=', 1) || ' to ' ||
           quote_ident(current_user)
         else 'alter role ' || quote_ident(current_user) || ' createrole' end as grant
     from pg_db_role_setting s, unnest(setconfig) c
     where setdatabase = (select oid from pg_database where datname = current_database())
       and not (select rolsuper from pg_roles where rolname = current_user)
       and ((setrole = 0 and exists (select from pg_settings p where p.name = split_part(c, '=', 1)
           and p.context not in ('user', 'backend'))
           and not has_parameter_privilege(split_part(c, '=', 1), 'set'))
         or (setrole <> 0 and setrole <> (select oid from pg_roles where rolname = current_user)
           and not (select rolcreaterole from pg_roles where rolname = current_user)))`,
  );
}

/** They have no session that could be ended, and keep their locks for as long as nobody finishes them. */
async function preparedTransactions(session: Session, restores: boolean): Promise<readonly Look[]> {
  const rows = await session.query<{ gid: string; what: string }>(
    `select quote_literal(gid) as gid, quote_literal(gid) || ' of ' || quote_ident(owner) as what
      from pg_prepared_xacts where database = current_database() order by prepared`,
  );
  if (rows.length === 0) return [];
  const ends = rows.slice(0, LISTED).map(({ gid }) => `commit prepared ${gid} or rollback prepared ${gid}`);
  const open = `prepared transactions are open in this database: ${some(rows.map(({ what }) => what))}`;
  const help = `; their owner or a superuser ends each, in this database: ${ends.join('; ')}`;
  return restores
    ? [missing(`${open}; while they are, a restore cannot take its name${help}`)]
    : [
        {
          ...holds(`${open}; they keep their locks, and a migration that needs one waits in vain${help}`),
          note: true,
        },
      ];
}

/**
 * A logical slot belongs to a database and not to its name: it stays with the one that is put aside. A
 * physical one has no database, and a temporary one goes with its session.
 */
async function replicationSlots(
  session: Session,
  fallback: string,
  replaced: string,
): Promise<readonly Look[]> {
  const rows = await session.query<{ name: string; slot: string; plugin: string }>(
    `select slot_name as name, quote_literal(slot_name) as slot, plugin from pg_replication_slots
      where database = current_database() and not temporary order by 1`,
  );
  return rows.map(({ name, slot, plugin }) => ({
    ...holds(
      `logical replication slot ${name} (${plugin}) would stay with the replaced database: after a restore ` +
        'its consumer gets nothing more, and it keeps WAL for as long as nobody reads it; drop it after a ' +
        `restore, in ${replaced} (select pg_drop_replication_slot(${slot})), and create it anew, or remove ` +
        `the fallback ${fallback}`,
    ),
    note: true,
  }));
}
