// How Temporal calls the state of a run, as Soakgate shows it.

/** Temporal's word for a run, small; `none` where none was started. */
export type RunState =
  | 'none'
  | 'running'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'terminated'
  | 'timed_out'
  | 'continued_as_new';
