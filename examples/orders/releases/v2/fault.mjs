// The app's own failure switch: a JSON file named by ORDERS_FAULT, read again at most every 100 ms.
//   {"errorRate": 0.5}   half of the requests to /orders and /health answer 500
//   {"slowMs": 300}      each of them waits first
// No file, no fault. While the file is being written its former content holds.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export function watchFault(path) {
  let fault = {};
  let readAt = -Infinity;

  function current() {
    const now = performance.now();
    if (!path || now - readAt < 100) return fault;
    readAt = now;
    try {
      fault = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      if (error.code === 'ENOENT') fault = {};
    }
    return fault;
  }

  /** Waits if it must; true when this request has to fail. */
  return async function strike() {
    const { errorRate = 0, slowMs = 0 } = current();
    if (slowMs > 0) await sleep(slowMs);
    return Math.random() < errorRate;
  };
}
