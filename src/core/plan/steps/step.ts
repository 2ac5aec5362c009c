// What a kind of step is: its form in the plan, the lines it is compiled into, what each line changes and how
// that is undone. One file a kind; everything else that knows about kinds is derived from the list in
// index.ts.
import type { z } from 'zod';
import type { Remark } from '../complaint.ts';
import type { EnvironmentPlan, Migrations } from '../environment.ts';
import type { Argv, Change, Json } from '../values.ts';

/** Undos of one family roll back together; the release kind decides the order of the families. */
export type Family = 'data' | 'schema' | 'code' | 'flag' | 'maintenance';

/**
 * How a line is undone. Arguments are derived names only, so that an undo finds its things after any crash.
 */
export interface UndoRule<Spec, Name extends string = string> {
  /** The activity that does it. */
  readonly undo: Name;
  readonly family: Family | ((changes: readonly Change[]) => Family);
  readonly args?: (spec: Spec) => Readonly<Record<string, Json>>;
  /** The undo no longer holds once a line of this kind has passed. */
  readonly until?: string;
  /** Whether this very line has it; default: always. */
  readonly when?: (spec: Spec) => boolean;
}

/** No undo, although more than files may change: with the reason. */
export interface NoUndo {
  readonly none: string;
}

interface LineBase<Spec> {
  /** The programs it runs, for the guardrails; said by every kind, so that none is forgotten. */
  readonly programs: readonly [] | ((spec: Spec) => readonly Argv[]);
}

/**
 * A line that changes more than files of the checkout must say how it is undone: the compiler asks for it.
 */
export type LineRule<Spec> =
  | (LineBase<Spec> & {
      readonly changes: readonly [] | readonly ['files'];
      readonly undo?: UndoRule<Spec>;
    })
  | (LineBase<Spec> & {
      readonly changes: readonly Change[] | ((spec: Spec) => readonly Change[]);
      readonly undo: UndoRule<Spec> | NoUndo;
    });

/** A rule together with the type of the spec that its activity is handed. */
export type Line<Spec, Rule = LineRule<Spec>> = Rule & { readonly handed?: (spec: Spec) => void };

/** One kind of compiled line: `line<Spec>()({ changes, undo, programs })`. */
export const line =
  <Spec>() =>
  <const Rule extends LineRule<Spec>>(rule: Rule): Line<Spec, Rule> =>
    rule;

type Lines = Readonly<Record<string, Line<never, LineRule<never>>>>;

/** The spec of a kind of line. */
export type LineSpec<Rule> = Rule extends { readonly handed?: (spec: infer Spec) => void } ? Spec : never;

/** One line as a step's `lines` makes it. */
export type Made<Kinds> = {
  readonly [Kind in keyof Kinds & string]: {
    readonly kind: Kind;
    readonly name: string;
    readonly spec: LineSpec<Kinds[Kind]>;
  };
}[keyof Kinds & string];

/** A step as every kind has it. */
export interface AnyStep {
  readonly step: string;
  readonly in?: readonly string[];
}

/** What a rule of a kind may know of a plan; `Known` are the kinds it looks at. */
export interface RulePlan<Known> {
  readonly steps: readonly (AnyStep & Readonly<Partial<Known>>)[];
  readonly environments: readonly (EnvironmentPlan & { readonly name: string })[];
  readonly migrations?: Migrations;
}

export interface StepDefinition<Key extends string, Form extends z.ZodType, Spec, Kinds, Rules> {
  /** The key in the plan. */
  readonly key: Key;
  readonly form: Form;
  readonly toSpec: (file: z.output<Form>) => Spec;
  /** The kinds of line that it may become: one activity each. */
  readonly kinds: Kinds;
  readonly lines: (spec: Spec, name: string) => readonly Made<NoInfer<Kinds>>[];
  /** Its verdict shows something about the release, so that a protection may name it. */
  readonly judges?: true;
  /** Tries writes that must be refused: nothing stays, but a proven backup comes first. */
  readonly triesWrites?: true;
  readonly asksOverHttp?: (spec: NoInfer<Spec>) => boolean;
  /** Files of the release that it names: hashed, and compared in the checkout. */
  readonly files?: (spec: NoInfer<Spec>) => readonly string[];
  /**
   * Rules of the plan about this kind; lint.ts holds what they say they know against the plan's own types.
   */
  readonly rules: Rules;
}

type Rule = (plan: never) => readonly Remark[];

/** A kind of step, with all its types inferred from its one file. */
export const defineStep = <
  const Key extends string,
  Form extends z.ZodType,
  Spec,
  const Kinds extends Lines,
  const Rules extends readonly Rule[],
>(
  definition: StepDefinition<Key, Form, Spec, Kinds, Rules>,
): StepDefinition<Key, Form, Spec, Kinds, Rules> => definition;
