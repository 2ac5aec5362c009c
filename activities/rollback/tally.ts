// Differences as people read them: all are counted, the table that lost most comes first.
import { count } from '../../src/core/count.ts';

const OF_A_TABLE = 50;
const IN_ALL = 200;

/** All are counted, the first of each table are named. */
export class Tally {
  readonly #tables = new Map<string, { rows: number; readonly first: string[] }>();

  add(table: string, line: string): void {
    const found = this.#tables.get(table) ?? { rows: 0, first: [] };
    this.#tables.set(table, found);
    found.rows += 1;
    if (found.first.length < OF_A_TABLE) found.first.push(line);
  }

  get count(): number {
    return [...this.#tables.values()].reduce((sum, { rows }) => sum + rows, 0);
  }

  /** The largest table first; where not every row of it is named, its number stands before them. */
  lines(): readonly string[] {
    let left = IN_ALL;
    return [...this.#tables]
      .sort(([, one], [, other]) => other.rows - one.rows)
      .flatMap(([table, { rows, first }]) => {
        const named = first.slice(0, left);
        left -= named.length;
        const rest = named.length === 0 ? '' : `, of which ${named.length} are named here`;
        return rows > named.length ? [`${table}: ${count(rows, 'row')}${rest}`, ...named] : named;
      });
  }
}
