// The workflows' code as workers load it and as it is bundled: with what decodes every payload without
// throwing, and what keeps
// reserved signals out.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BundleOptions, WorkerOptions } from '@temporalio/worker';

/** In a checkout the file itself, in a package what it was compiled to. */
function codeOf(name: string): string {
  const source = fileURLToPath(new URL(`../workflows/${name}.ts`, import.meta.url));
  return existsSync(source) ? source : source.replace(/\.ts$/u, '.js');
}

/** Whoever bundles the workflows bundles these three. */
export const bundleOptions = (): BundleOptions => ({
  workflowsPath: codeOf('index'),
  payloadConverterPath: codeOf('payload-converter'),
  workflowInterceptorModules: [codeOf('interceptors')],
});

/**
 * In a checkout the workflows are bundled at start, unless whoever starts many workers has bundled them once;
 * a package brings its bundle.
 */
export function workflowSource(): Pick<
  WorkerOptions,
  'workflowsPath' | 'workflowBundle' | 'dataConverter' | 'interceptors'
> {
  const made = process.env['SOAKGATE_WORKFLOW_BUNDLE'];
  if (made) return { workflowBundle: { codePath: made } };
  const bundle = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  const { workflowsPath, payloadConverterPath, workflowInterceptorModules } = bundleOptions();
  return {
    workflowsPath,
    dataConverter: { payloadConverterPath: payloadConverterPath! },
    interceptors: { workflowModules: workflowInterceptorModules! },
  };
}
