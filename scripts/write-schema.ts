// Writes schema.json, the published JSON Schema of a plan, from the code.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { planJsonSchema } from '../src/core/plan/schema.ts';

/** The text of schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(planJsonSchema(), null, 2)}\n`;
}

if (import.meta.main) {
  const file = fileURLToPath(new URL('../schema.json', import.meta.url));
  writeFileSync(file, schemaText());
  console.log(`wrote ${file}`);
}
