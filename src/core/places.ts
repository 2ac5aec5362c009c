// Where a plan may name files of the host.
import type { StepList } from './step-list.ts';

/** Whether an absolute, normal path lies below the folder, itself included. */
export const isInside = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** An absolute path without `.` and `..`; `path` counts from `root`. */
export function normalPath(root: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith('/') ? '' : `${root}/`}${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export interface HostFolders {
  /** The service's root. */
  readonly root: string;
  /** The folder of its logs. */
  readonly logs?: string | undefined;
  /** The flag file, where the environment's file names it in place of the plan. */
  readonly 'flag-file'?: string | undefined;
}

/** A sentence for each file of the list that lies where its environment allows none. */
export function placeComplaints(
  list: StepList,
  service: HostFolders,
  allowed: readonly string[],
): readonly string[] {
  const below = (what: string, path: string, root: string) =>
    [root, ...allowed].some((folder) => isInside(folder, normalPath(root, path)))
      ? []
      : [
          `files: ${what} ${path} is not below ${[root, ...allowed].join(' or ')}; name its folder in the ` +
            'environment file under guardrails: files',
        ];
  const { maintenance, services } = list.environment;
  return [
    ...(maintenance && service['flag-file'] === undefined
      ? below('flag-file', maintenance.flagFile, service.root)
      : []),
    ...services.flatMap(({ options }) => {
      const pid = (options as Readonly<Record<string, unknown>>)['pid-file'];
      return typeof pid === 'string' ? below('pid-file', pid, service.root) : [];
    }),
    ...Object.values(list.monitors).flatMap(({ read }) =>
      'log' in read ? read.log.files.flatMap((file) => below('log', file, service.logs ?? service.root)) : [],
    ),
  ];
}
