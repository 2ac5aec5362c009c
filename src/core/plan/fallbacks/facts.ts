// What the list of fallbacks says about a fallback of a plan.
import type { Path, Remark } from '../complaint.ts';
import type { StepKind } from '../steps/index.ts';
import type { Family } from '../steps/step.ts';
import type { Approved, KnownOfPlan } from './fallback.ts';
import { type Fallback, type FallbackKey, fallbackKinds, type FallbackUndoKind } from './index.ts';

/** A kind as the whole sees it, whatever its own types are. */
interface Definition {
  readonly key: string;
  readonly toPlan: (file: never, approved: Approved | undefined) => Fallback;
  readonly byDefault?: true;
  readonly losesWrites?: true;
  readonly adds?: { readonly to: StepKind; readonly undo: FallbackUndoKind };
  readonly leaves: readonly Family[];
  readonly replaces?: true;
  readonly goesOn?: (kept: never) => string;
  readonly remarks: (kept: never, path: Path, plan: KnownOfPlan) => readonly Remark[];
}

type Fallbacks = Readonly<Record<string, Fallback>>;

const definitions = Object.entries(fallbackKinds) as readonly (readonly [FallbackKey, Definition])[];
const kindOf = (fallback: Fallback): Definition => definitions.find(([kept]) => kept in fallback)![1];

/** The fallback as the file writes it → as the plan keeps it. */
export function toFallback(file: Readonly<Record<string, unknown>>): Fallback {
  const [, kind] = definitions.find(([, { key }]) => file[key] !== undefined) ?? [];
  if (!kind) throw new RangeError('a fallback has no kind, though its form was accepted');
  return kind.toPlan(file[kind.key] as never, file['approved'] as Approved | undefined);
}

/** The undos that fallbacks add to lines. */
export const addedUndos: readonly FallbackUndoKind[] = definitions.flatMap(([, { adds }]) =>
  adds ? [adds.undo] : [],
);

/** What the fallbacks of a plan add to a line of this kind. */
export const undosAddedTo = (line: StepKind, fallbacks: Fallbacks): readonly FallbackUndoKind[] => [
  ...new Set(
    Object.values(fallbacks).flatMap((fallback) => {
      const { adds } = kindOf(fallback);
      return adds?.to === line ? [adds.undo] : [];
    }),
  ),
];

/** Which undos it leaves out, and whether its own takes their place. */
export const undone = (fallback: Fallback): Pick<Definition, 'leaves' | 'replaces'> => kindOf(fallback);

/** Whether it loses writes. */
export const losesWrites = (fallback: Fallback): boolean => kindOf(fallback).losesWrites === true;

/** The roles that must sign it. */
export const rolesOf = (fallback: Fallback): readonly string[] =>
  'approved' in fallback ? (fallback.approved?.roles ?? []) : [];

/** What people read of one that goes on instead of back; null for a rollback. */
export const goesOn = (fallback: Fallback): string | null =>
  kindOf(fallback).goesOn?.(fallback as never) ?? null;

/** The name of the rollback that is meant where none is named. */
export const byDefault = (fallbacks: Fallbacks): string | undefined =>
  Object.entries(fallbacks).find(([, fallback]) => kindOf(fallback).byDefault)?.[0];

/** Why it could not be walked. */
export const fallbackRemarks = (fallback: Fallback, path: Path, plan: KnownOfPlan): readonly Remark[] =>
  kindOf(fallback).remarks(fallback as never, path, plan);
