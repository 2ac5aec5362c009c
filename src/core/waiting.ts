// What a run waits for, as data; and the sentence and the command that people are shown for it.
import { count } from './count.ts';

/** What a gate still lacks. */
export type Missing =
  | { readonly kind: 'facts'; readonly facts: readonly string[] }
  | { readonly kind: 'attestation'; readonly id: string; readonly role: string }
  | { readonly kind: 'approval'; readonly roles: readonly string[] };

/** A question that people answer with `soakgate decide`. */
export type Asked =
  | {
      readonly kind: 'decision';
      readonly environment: string;
      readonly about: string;
      readonly options: readonly string[];
      /** What an option would lose, by its name. */
      readonly loses?: string;
    }
  | {
      readonly kind: 'approval';
      readonly environment: string;
      readonly fallback: string;
      readonly missing: readonly string[];
      readonly options: readonly string[];
      readonly loses?: string;
    }
  | {
      readonly kind: 'manual-fix';
      readonly environment: string;
      readonly differences: readonly string[];
      readonly options: readonly string[];
      readonly loses?: string;
    };

export type Waiting =
  | Asked
  /** Paused by a person. */
  | { readonly kind: 'resume'; readonly environment: string }
  | { readonly kind: 'earlier-environment'; readonly environment: string }
  | { readonly kind: 'next-environment'; readonly environment: string }
  | { readonly kind: 'closing'; readonly environment: string }
  | { readonly kind: 'gate'; readonly environment: string; readonly missing: readonly Missing[] }
  | { readonly kind: 'before-deploying'; readonly environment: string; readonly why: string }
  /** Something that fails, and is done again until it works. */
  | {
      readonly kind: 'failing';
      readonly environment: string | null;
      readonly what: string;
      readonly why: string;
    }
  | { readonly kind: 'ended-outside'; readonly environment: string; readonly why: string }
  /** A post-deployment check that goes on, or the time until the next one. */
  | { readonly kind: 'check' | 'next-check'; readonly environment: string };

const LONGEST_DIFFERENCES = 500;

/** The sentence where the environment is clear: after "waiting for". */
export function waitingText(waiting: Waiting): string {
  switch (waiting.kind) {
    case 'decision':
      return `a decision (${waiting.options.join(' | ')}) about ${waiting.about}${losesText(waiting)}`;
    case 'approval':
      return (
        `approval of ${waiting.fallback} by ${waiting.missing.join(' and ')}: what was written since ` +
        `the backup is lost${losesText(waiting)}`
      );
    case 'manual-fix':
      return (
        'manual fix needed: ' +
        `${count(waiting.differences.length, 'difference remains', 'differences remain')}${losesText(waiting)}`
      );
    case 'resume':
      return 'resume';
    case 'earlier-environment':
      return 'the earlier environment to be closed';
    case 'next-environment':
      return 'the next environment (monitoring continues)';
    case 'closing':
      return 'the rollout to close (retried until the database and the worker answer)';
    case 'gate':
      return `the gate of ${waiting.environment}: ${waiting.missing.map(missingText).join('; ')}`;
    case 'before-deploying':
      return waiting.why;
    case 'failing':
      return `${waiting.what} (failed, retrying): ${waiting.why}`;
    case 'ended-outside':
      return (
        `recovery: the rollout in ${waiting.environment} was ended from outside and its changes were ` +
        `NOT rolled back (${waiting.why})`
      );
    case 'check':
      return `a check by the worker of ${waiting.environment}`;
    case 'next-check':
      return 'the next check';
  }
}

const losesText = ({ loses }: { readonly loses?: string }): string => (loses ? `; ${loses}` : '');

/** The sentence where several environments are shown together. */
export function waitingTextOfAll(waiting: readonly Waiting[]): string | null {
  const sentences = waiting.map((one) => {
    if (one.kind === 'manual-fix')
      return `${one.environment}: stuck: ${one.differences.join('; ').slice(0, LONGEST_DIFFERENCES)}${losesText(one)}`;
    const named = one.kind === 'gate' || one.kind === 'ended-outside' || one.environment === null;
    return named ? waitingText(one) : `${one.environment}: ${waitingText(one)}`;
  });
  return sentences.length > 0 ? sentences.join(' · ') : null;
}

export function missingText(missing: Missing): string {
  if (missing.kind === 'facts') return `sealed facts (${missing.facts.join(', ')})`;
  if (missing.kind === 'attestation') return `attestation ${missing.id} by ${missing.role}`;
  return `approval by ${missing.roles.join(' and ')}`;
}

/**
 * What a person is asked, in the same words as long as it is the same question; null where nothing waits for
 * one.
 */
export function questionOf(waiting: Waiting): string | null {
  switch (waiting.kind) {
    case 'decision':
      return `${waiting.kind}: ${waiting.about}`;
    case 'approval':
      return `${waiting.kind}: ${waiting.fallback}`;
    case 'manual-fix':
      return `${waiting.kind}: ${waiting.differences.join('; ')}`;
    case 'failing':
      return `${waiting.kind}: ${waiting.what}`;
    case 'gate': {
      // While facts are missing only a statement can be signed; when they hold, people are asked anew.
      const early = waiting.missing.some(({ kind }) => kind === 'facts');
      const wanted = waiting.missing.some(
        ({ kind }) => kind === 'attestation' || (kind === 'approval' && !early),
      );
      return wanted ? `${waiting.kind}${early ? ', before its facts hold' : ''}` : null;
    }
    case 'ended-outside':
      return waiting.kind;
    case 'resume':
    case 'earlier-environment':
    case 'next-environment':
    case 'closing':
    case 'before-deploying':
    case 'check':
    case 'next-check':
      return null;
  }
}

/** What somebody can type now, without `--as`; null where nothing helps but time. */
export function nextCommand(waiting: readonly Waiting[], deployment: string): string | null {
  for (const one of waiting) {
    const words = commandOf(one);
    if (words) return ['soakgate', words[0], deployment, ...words.slice(1)].join(' ');
  }
  return null;
}

/** The command and what follows the name of the deployment. */
function commandOf(waiting: Waiting): readonly string[] | null {
  switch (waiting.kind) {
    case 'decision':
    case 'manual-fix':
    case 'approval':
      return ['decide', waiting.environment, waiting.options[0]!];
    case 'resume':
      return ['resume', waiting.environment];
    case 'gate':
      return atGate(waiting.environment, waiting.missing);
    case 'ended-outside':
      return ['recover'];
    case 'check':
    case 'next-check':
      return ['stop-checks', waiting.environment];
    case 'earlier-environment':
    case 'next-environment':
    case 'closing':
    case 'before-deploying':
    case 'failing':
      return null;
  }
}

/**
 * An attestation that is missing comes first, then an approval; while facts are missing nobody can do
 * anything.
 */
function atGate(environment: string, missing: readonly Missing[]): readonly string[] {
  const attestation = missing.find((one) => one.kind === 'attestation');
  if (attestation) return ['attest', environment, attestation.id];
  return missing.some((one) => one.kind === 'facts') ? ['status'] : ['approve', environment];
}

/** A message that did not count. */
export interface Refusal {
  readonly message: string;
  readonly person: string;
  readonly environment: string;
  readonly why: string;
}

/** For people: `approve by ann for production: refused: …`. */
export const refusalText = ({ message, person, environment, why }: Refusal): string =>
  `${message} by ${person} for ${environment}: ${why}`;

export const malformedText = (malformed: number): string =>
  `${malformed === 1 ? '1 signal was' : `${malformed} signals were`} unreadable and changed nothing`;

/** Messages that were sifted out of many. */
export const droppedText = (dropped: number): string =>
  `${dropped === 1 ? '1 message was' : `${dropped} messages were`} dropped among many: they could not count, and ` +
  'changed nothing';
