// Fails to compile as soon as Node's types become visible in this zone (one declared type that mentions `pg`
// is enough).
// @ts-expect-error: a pure zone knows no `process`
export type NoNode = typeof process;
