// The manifest: every file of an evidence package under its sha256, sealed by the control worker's key.

/** Who seals: a workflow and its run. */
export interface Sealer {
  readonly workflow: string;
  readonly run: string;
}

export interface Manifest {
  readonly soakgate: 1;
  readonly deployment: string;
  readonly outcome: string;
  /** The workflow that had it sealed, and its run; absent in packages of before. */
  readonly by?: Sealer;
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly size: number }>>;
}

export interface SignedManifest extends Manifest {
  /** sha256 of the canonical manifest: the deployment's result. */
  readonly hash: string;
  readonly signature: string;
}

/** Where a sealed package lies, and its hash. */
export interface SealedEvidence {
  readonly uri: string;
  readonly manifest: string;
  readonly files: number;
}

export const MANIFEST = 'manifest.json';

export function manifestText(manifest: Manifest, hash: string, signature: string): string {
  return `${JSON.stringify({ ...manifest, hash, signature } satisfies SignedManifest, null, 1)}\n`;
}

/** Who sealed a manifest; undefined for half a one, which seals nothing. */
export function sealerIn(text: string): Sealer | undefined {
  try {
    return (JSON.parse(text) as SignedManifest).by;
  } catch {
    return undefined;
  }
}
