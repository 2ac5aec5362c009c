// What the control worker bundles.
export { deployment } from './deployment.ts';
export { rollout } from './rollout.ts';
