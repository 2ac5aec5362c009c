// What a workflow was started with, when nobody can read it: the workflow ends at once, with a coded failure.
import { ApplicationFailure } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import { textOf } from './activities.ts';

/** @throws ApplicationFailure INPUT_UNREADABLE, before anything has been done. */
export function openInput<Input, State>(
  input: Input,
  fits: (input: unknown) => boolean,
  open: (input: Input) => State,
): State {
  if (!fits(input)) throw unreadable('its input has not the shape of one');
  try {
    return open(input);
  } catch (error) {
    // Nothing has been awaited yet: what stumbles here stumbles over the input.
    throw unreadable(textOf(error));
  }
}

/** Whatever type nobody knows. */
export async function unknownWorkflow(): Promise<never> {
  throw unreadable('Soakgate has no workflow of this type');
}

const unreadable = (why: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `INPUT_UNREADABLE: ${workflowInfo().workflowType} ${workflowInfo().workflowId}: ${why}`,
    'INPUT_UNREADABLE',
  );
