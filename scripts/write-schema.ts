// schema.json, the published JSON Schema of a plan, from the code; written by `npm run generate`.
import { planJsonSchema } from '../src/core/plan/schema.ts';

/** The text of schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(planJsonSchema(), null, 2)}\n`;
}
