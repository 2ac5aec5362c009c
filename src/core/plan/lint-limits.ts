// The limits of a step that migrates: PostgreSQL reads 0 as "for ever", and holds no more than 31 bits of
// milliseconds.
import { quote, type Remark } from './complaint.ts';
import { formatDuration } from './units.ts';

export interface MigratingLimits {
  readonly lockTimeoutMs: number;
  readonly giveUpAfterMs: number;
  readonly statementTimeoutMs: number;
}

const LONGEST_MS = 2_147_483_647;

/** Remarks on the limits of the step at this place, whose key in the plan is `kind`. */
export function limitRemarks(limits: MigratingLimits, at: number, kind: string): readonly Remark[] {
  const { lockTimeoutMs, giveUpAfterMs, statementTimeoutMs } = limits;
  const remark = (key: string, message: string, hint: string): Remark => ({
    path: ['steps', at, kind, key],
    message,
    hint,
  });
  const wrong = (key: string, ms: number, example: string): readonly Remark[] => {
    if (ms < 1)
      return [
        remark(key, `${quote(formatDuration(ms))} would wait for ever`, `at least 1ms, e.g. ${example}`),
      ];
    return ms > LONGEST_MS
      ? [remark(key, `${quote(formatDuration(ms))} is longer than PostgreSQL can wait`, 'at most 24d')]
      : [];
  };
  const long =
    lockTimeoutMs > giveUpAfterMs
      ? [
          remark(
            'lock-timeout',
            `one attempt of ${formatDuration(lockTimeoutMs)} waits longer than give-up-after, ` +
              formatDuration(giveUpAfterMs),
            'the application waits behind each attempt: keep it short, e.g. 50ms',
          ),
        ]
      : [];
  return [
    ...wrong('lock-timeout', lockTimeoutMs, '50ms'),
    ...wrong('statement-timeout', statementTimeoutMs, '5m'),
    ...long,
  ];
}
