import { expect, test } from 'vitest';
import { statementShape } from '../../src/core/statement-shape.ts';

test.each([
  ['select *\n  from orders -- of Ann\n where id = 17', 'select * from orders where id = ?'],
  [
    "update people set name = 'Ann', iban = $$DE12$$ where id in (1, 2, 3)",
    'update people set name = ?, iban = ? where id in (?, …)',
  ],
  ['select "Total" from t where x = $1 and y > 1.5', 'select Total from t where x = $? and y > ?.?'],
  ["select * from people where name = 'cut by the ser", 'select * from people where name = ?'],
  ['', ''],
])('%s', (sql, shape) => expect(statementShape(sql)).toBe(shape));

test('a long statement is cut', () => {
  const shape = statementShape(`select ${'a, '.repeat(200)}b from c`);
  expect(shape).toHaveLength(160);
  expect(shape.endsWith('…')).toBe(true);
});
