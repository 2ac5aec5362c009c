// A server that listens before it is healthy refuses the first calls.
import { describe, expect, test } from 'vitest';
import { whenHealthy } from './temporal-servers.ts';

describe('a test server that refuses its first calls', () => {
  const later = () => Date.now() + 10_000;

  test('is asked again while it says that it is not healthy yet', async () => {
    let calls = 0;
    const connected = async () => {
      if (++calls < 3) throw new Error('Failed to call GetSystemInfo: "Frontend is not healthy yet"');
      return 'connected';
    };
    expect(await whenHealthy(connected, later())).toBe('connected');
    expect(calls).toBe(3);
  });

  test('is not asked again for another reason, nor after its time', async () => {
    const refused = (message: string) => async () => Promise.reject(new Error(message));
    await expect(whenHealthy(refused('certificate'), later())).rejects.toThrow('certificate');
    await expect(whenHealthy(refused('Frontend is not healthy yet'), 0)).rejects.toThrow('not healthy yet');
  });
});
