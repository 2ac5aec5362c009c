// What the control worker bundles: the workflows by their types, and what answers for every type that nobody
// knows.
export { deployment } from './deployment.ts';
export { afterwards } from './afterwards.ts';
export { rollout } from './rollout.ts';
export { unknownWorkflow as default } from './open-input.ts';
