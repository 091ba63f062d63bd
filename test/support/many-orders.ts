import { uuidOf } from '#libs/primitives';
import { type OrderJson, type Stack } from './stack.js';
import { waitFor } from './wait-for.js';

/** For hundreds of orders on a machine that does other things too. */
const ALL_MS = 240_000;

/**
 * Waits until every order has this status, with one question for all of them, and gives them as the API lists them then: in the same
 * sequence, without their secrets.
 */
export async function allIn(stack: Stack, orders: readonly Pick<OrderJson, 'id'>[], status: string): Promise<readonly OrderJson[]> {
  const ids = orders.map(({ id }) => uuidOf('ord', id));
  await waitFor(
    `${ids.length} orders to become ${status}`,
    async () => {
      const [row] = await stack.database.query<{ left: number }>(
        'SELECT count(*)::int AS left FROM orders WHERE id = ANY($1::uuid[]) AND status <> $2',
        [ids, status],
      );
      if (row?.left === 0) return true;
      throw new Error(`${row?.left} are not`);
    },
    ALL_MS,
  );
  return listed(stack, orders);
}

/** The newest come first, so that as many pages are read as the orders are old. */
async function listed(stack: Stack, orders: readonly Pick<OrderJson, 'id'>[]): Promise<readonly OrderJson[]> {
  const seen = new Map<string, OrderJson>();
  let cursor: string | null = '';
  while (cursor !== null && !orders.every(({ id }) => seen.has(id))) {
    const { text } = await stack.call(`/v1/orders?limit=100${cursor && `&startingAfter=${cursor}`}`);
    const page: { data: readonly OrderJson[]; nextCursor: string | null } = JSON.parse(text);
    for (const order of page.data) seen.set(order.id, order);
    cursor = page.nextCursor;
  }
  return orders.map(({ id }) => {
    const order = seen.get(id);
    if (order === undefined) throw new Error(`order ${id} is not in the list`);
    return order;
  });
}
