export interface InspectedPart {
  part: string;
  found: boolean;
  version: string;
  path: string;
  /** What to do when it was not found; empty otherwise. */
  remedy: string;
}
export function inspectParts(options: { tests: boolean }): InspectedPart[];
export function ensureParts(options: {
  tests: boolean;
}): Promise<{ node: string; env: Record<string, string | undefined> }>;
