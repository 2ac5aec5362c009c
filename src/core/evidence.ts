// The manifest: every file of an evidence package under its sha256, sealed by the control worker's key.

export interface Manifest {
  readonly soakgate: 1;
  readonly deployment: string;
  readonly outcome: string;
  /** The workflow that had it sealed, and its run; absent in packages of before. */
  readonly by?: { readonly workflow: string; readonly run: string };
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly size: number }>>;
}

export interface SignedManifest extends Manifest {
  /** sha256 of the canonical manifest: the deployment's result. */
  readonly hash: string;
  readonly signature: string;
}

export const MANIFEST = 'manifest.json';

export function manifestText(manifest: Manifest, hash: string, signature: string): string {
  return `${JSON.stringify({ ...manifest, hash, signature } satisfies SignedManifest, null, 1)}\n`;
}
