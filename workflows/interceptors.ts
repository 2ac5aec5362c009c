// Signals whose name Temporal reserves are taken out before they are delivered: beside a handler for unknown
// names, the SDK
// fails the whole workflow task on one of them, for ever.
import type { WorkflowInterceptors } from '@temporalio/workflow';

const RESERVED = '__temporal_';

/** Temporal finds it by this name. */
export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate: (input, next) => {
        const { jobs } = input.activation;
        for (let place = (jobs ?? []).length - 1; place >= 0; place -= 1) {
          const name = jobs![place]!.signalWorkflow?.signalName;
          if (name?.startsWith(RESERVED) || name === '') jobs!.splice(place, 1);
        }
        next(input);
      },
    },
  ],
});
