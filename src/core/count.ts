// Numbers in sentences: `1 migration`, `2 migrations`.

/** `count(1, 'row')` is "1 row", `count(2, 'row')` is "2 rows"; an irregular plural is the third argument. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
