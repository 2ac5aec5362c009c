// A connection for the length of one piece of work. Temporal's client is only loaded here, when something is
// asked of the server.
import type { Connected } from '../client/connection.ts';

export async function withConnection<T>(work: (connected: Connected) => Promise<T>): Promise<T> {
  const { connectClient } = await import('../client/connection.ts');
  const connected = await connectClient();
  try {
    return await work(connected);
  } finally {
    await connected.close();
  }
}
