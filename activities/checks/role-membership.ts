// How a role comes to act as another. A membership alone is not enough: pg_restore acts with the rights that
// the role inherits, and nobody tells it to SET ROLE. Before PostgreSQL 16 the member says whether it
// inherits, from then on each membership.
import type { Session } from '../../src/io/postgres.ts';

/** The right to make somebody an owner. Asked as a member before PostgreSQL 16, which has no such option. */
export const MAY_GIVE_TO =
  "case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end";

/** What is wrong with a membership, and what mends it. */
export interface ToActAs {
  /** What follows a sentence about the role; empty where it is no member at all. */
  readonly why: string;
  /** Statements, as SQL, in their order; `; ` between them. */
  readonly statements: string;
}

interface Way {
  /** As SQL writes them. */
  readonly other: string;
  readonly me: string;
  readonly inherits: boolean;
  readonly member: boolean;
  /** Inherits its rights, and may only not make it an owner. */
  readonly uses: boolean;
  /** A membership that would give the rights, if only the role inherited. */
  readonly through: boolean;
  readonly each: boolean;
}

/** What the asking role lacks to act as each of these roles, whose names are as SQL writes them. */
export async function toActAs(session: Session, roles: readonly string[]): Promise<ToActAs> {
  const ways = await session.query<Way>(
    `select quote_ident(r.rolname) as other, quote_ident(me.rolname) as me, me.rolinherit as inherits,
       pg_has_role(me.oid, r.oid, 'member') as member, pg_has_role(me.oid, r.oid, 'usage') as uses,
       exists (select from pg_auth_members m where m.member = me.oid
         and pg_has_role(m.roleid, r.oid, 'usage')) as through,
       current_setting('server_version_num')::int >= 160000 as each
     from unnest($1::text[]) with ordinality wanted (name, place)
       join pg_roles r on quote_ident(r.rolname) = name
       join pg_roles me on me.rolname = current_user order by place`,
    [roles],
  );
  const named = (of: readonly Way[]) => of.map(({ other }) => other).join(', ');
  const members = ways.filter(({ member }) => member);
  const [idle, unset] = [members.filter(({ uses }) => !uses), members.filter(({ uses }) => uses)];
  const why = [
    ...(idle.length > 0 ? [`it is a member of ${named(idle)} and does not inherit its rights`] : []),
    ...(unset.length > 0 ? [`its membership in ${named(unset)} is without SET`] : []),
  ];
  return {
    why: why.length === 0 ? '' : `, because ${why.join(', and ')}`,
    statements: [...new Set(ways.flatMap((way) => (way.each ? eachOf(way) : allOf(way))))].join('; '),
  };
}

const eachOf = ({ other, me, member, inherits }: Way): readonly string[] => [
  `grant ${other} to ${me}${member || !inherits ? ' with inherit true, set true' : ''}`,
];

const allOf = ({ other, me, inherits, through }: Way): readonly string[] => [
  ...(through ? [] : [`grant ${other} to ${me}`]),
  ...(inherits ? [] : [`alter role ${me} inherit`]),
];
