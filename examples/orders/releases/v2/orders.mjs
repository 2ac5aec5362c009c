// What the shop can do with an order. Statuses: pending → paid → shipped; every transition locks its row.
// This release knows discounts. It names the column only for an order that has one, so that it also serves on
// the schema before 0003: on a way back the schema goes first and this code goes on until the old one is there.
import { inTransaction } from './database.mjs';

const LIST = 'select o.* from orders o order by o.id desc limit 20';
const ONE = 'select o.* from orders o where o.id = $1';
const ITEMS = 'select sku, qty, price_cents as price from order_items where order_id = $1 order by sku';

// One statement, so an order is never seen without its items.
const create = (column, value) => `
  with wanted as (
    select sku, qty, price from jsonb_to_recordset($2::jsonb) as i(sku text, qty int, price bigint)
  ), placed as (
    insert into orders (customer_id, status, total_cents${column})
    select $1, 'pending', sum(qty * price)${value} from wanted
    returning id, total_cents
  ), filled as (
    insert into order_items (order_id, sku, qty, price_cents)
    select placed.id, sku, qty, price from placed, wanted
  )
  select id, total_cents from placed`;
const CREATE = create('', '');
const CREATE_DISCOUNTED = create(', discount_cents', ', $3');

const view = (row) => ({
  id: row.id,
  customer: row.customer_id,
  status: row.status,
  total: row.total_cents,
  discount: row.discount_cents ?? 0,
  due: row.total_cents - (row.discount_cents ?? 0),
  created: row.created_at.toISOString(),
});

const isAmount = (value) => value === undefined || Number.isSafeInteger(value);

const wellFormed = (order) =>
  Number.isSafeInteger(order?.customer) && isAmount(order.discount) && isAmount(order.total) &&
  Array.isArray(order.items) && order.items.length > 0 && order.items.length <= 100 &&
  order.items.every((item) => typeof item?.sku === 'string' && Number.isSafeInteger(item.qty) && Number.isSafeInteger(item.price));

export async function listOrders(pool) {
  const { rows } = await pool.query(LIST);
  return { status: 200, body: { orders: rows.map(view) } };
}

export async function getOrder(pool, id) {
  const [order, items] = await Promise.all([pool.query(ONE, [id]), pool.query(ITEMS, [id])]);
  if (order.rows.length === 0) return { status: 404, body: { error: 'no such order' } };
  return { status: 200, body: { ...view(order.rows[0]), items: items.rows } };
}

/** `total`, if the sender says one, must be the sum of the items; the database judges the discount. */
export async function createOrder(pool, order) {
  if (!wellFormed(order)) return { status: 400, body: { error: 'an order is {customer, items: [{sku, qty, price}], discount?, total?}' } };
  const total = order.items.reduce((sum, item) => sum + item.qty * item.price, 0);
  if (order.total !== undefined && order.total !== total) return { status: 400, body: { error: 'total is not the sum of the items', total } };
  const discount = order.discount ?? 0;
  const values = [order.customer, JSON.stringify(order.items)];
  const { rows } = discount === 0 ? await pool.query(CREATE, values) : await pool.query(CREATE_DISCOUNTED, [...values, discount]);
  return { status: 201, body: { id: rows[0].id, total: rows[0].total_cents, discount, due: rows[0].total_cents - discount } };
}

async function move(client, id, from, to) {
  const { rows } = await client.query('select status from orders where id = $1 for update', [id]);
  if (rows.length === 0) return { status: 404, body: { error: 'no such order' } };
  if (rows[0].status !== from) return { status: 409, body: { error: `not ${from}`, id, status: rows[0].status } };
  await client.query('update orders set status = $2 where id = $1', [id, to]);
  return { status: 200, body: { id, status: to } };
}

/** Pays once: of two at once one waits for the row and is refused. The attempt is recorded before it is made. */
export async function payOrder(pool, id) {
  const attempt = await pool.query('insert into payments (order_id) select id from orders where id = $1 returning id', [id]);
  if (attempt.rows.length === 0) return { status: 404, body: { error: 'no such order' } };
  return inTransaction(pool, async (client) => {
    const answer = await move(client, id, 'pending', 'paid');
    const outcome = answer.status === 200 ? 'paid' : 'refused';
    await client.query('update payments set outcome = $2 where id = $1', [attempt.rows[0].id, outcome]);
    return answer;
  });
}

export const shipOrder = (pool, id) => inTransaction(pool, (client) => move(client, id, 'paid', 'shipped'));
