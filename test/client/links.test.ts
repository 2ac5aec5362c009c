import { afterEach, expect, test, vi } from 'vitest';
import { workflowLink } from '../../src/client/links.ts';

afterEach(() => vi.unstubAllEnvs());

const link = (env: Readonly<Record<string, string>>): string | null => {
  for (const [name, value] of Object.entries({
    SOAKGATE_UI: '',
    TEMPORAL_ADDRESS: '',
    TEMPORAL_NAMESPACE: '',
    ...env,
  }))
    vi.stubEnv(name, value || undefined);
  return workflowLink('deployment/one', 'run-1');
};

test('links go where SOAKGATE_UI says', () => {
  expect(link({ SOAKGATE_UI: 'https://ui.example.org/' })).toBe(
    'https://ui.example.org/namespaces/default/workflows/deployment%2Fone/run-1',
  );
});

test('a dev server and Temporal Cloud tell it by their address', () => {
  expect(link({})).toBe('http://localhost:8233/namespaces/default/workflows/deployment%2Fone/run-1');
  expect(link({ TEMPORAL_ADDRESS: 'shop.a1b2c.tmprl.cloud:7233', TEMPORAL_NAMESPACE: 'shop.a1b2c' })).toBe(
    'https://cloud.temporal.io/namespaces/shop.a1b2c/workflows/deployment%2Fone/run-1',
  );
});

test('elsewhere there is none', () =>
  expect(link({ TEMPORAL_ADDRESS: 'temporal.example.org:7233' })).toBeNull());
