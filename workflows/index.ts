// What the control worker bundles.
export { deployment } from './deployment.ts';
export { afterwards } from './afterwards.ts';
export { rollout } from './rollout.ts';
