// Links into Temporal's Web UI: from SOAKGATE_UI, or where the address tells it.
import { connectionNames } from './connection-names.ts';

const DEV_SERVER = /^(?:localhost|127\.0\.0\.1|\[::1\]):7233$/u;

/** Base of the Web UI, or null when it is not known. */
function uiBase(address: string): string | null {
  const given = process.env['SOAKGATE_UI'];
  if (given) return given.replace(/\/+$/u, '');
  if (address.endsWith('.tmprl.cloud:7233')) return 'https://cloud.temporal.io';
  return DEV_SERVER.test(address) ? 'http://localhost:8233' : null;
}

/** Where one run is shown, or null when the Web UI is not known. */
export function workflowLink(workflowId: string, runId: string): string | null {
  const { address, namespace } = connectionNames();
  const base = uiBase(address);
  return (
    base &&
    `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}/${runId}`
  );
}
