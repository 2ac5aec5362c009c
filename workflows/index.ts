// What the control worker bundles.
export { deployment } from './deployment.ts';
export { followUp } from './follow-up.ts';
export { rollout } from './rollout.ts';
