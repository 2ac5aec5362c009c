// Registers our search attributes; idempotent, by whichever control worker comes first.
import type { Connected } from './connection.ts';

const NAMES = [
  'SoakgateService',
  'SoakgateEnvironment',
  'SoakgatePhase',
  'SoakgateVerdict',
  'SoakgateWaitingFor',
  'SoakgateHealth',
];
/** temporal.api.enums.v1.IndexedValueType */
const KEYWORD = 2;
const ALREADY_EXISTS = 6;

export async function registerSearchAttributes({ connection, namespace }: Connected): Promise<void> {
  for (const name of NAMES) {
    try {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: { [name]: KEYWORD },
      });
    } catch (error) {
      if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
    }
  }
}
