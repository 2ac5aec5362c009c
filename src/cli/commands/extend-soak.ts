// soakgate extend-soak: lengthens a soak or watch.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions } from '../message.ts';
import { readDuration, withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  messageCommand(command).argument(
    '<duration>',
    'how much longer; real time, even with --pace',
    readDuration,
  );
  withExamples(command, [
    ['soakgate extend-soak shop-2026-08 staging 1d --as lea', 'one more day'],
    [
      'soakgate extend-soak shop-2026-08 staging 6h --as lea --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, byMs: number, options: SignerOptions) =>
      signAndSend(terminal, { message: 'extendSoak', deployment, environment, options }, { byMs }),
    ),
  );
}
