import { uuidOf } from '#libs/primitives';
import { type Answer } from './http-client.js';
import { type OrderJson, type Stack } from './stack.js';
import { statusOf } from './status-of.js';
import { waitFor } from './wait-for.js';

/** What tests read of a refund. */
export interface RefundJson {
  readonly id: string;
  readonly order: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly reason: string | null;
  readonly failureReason: string | null;
  readonly stripeRefundId: string | null;
  readonly createdAt: string;
}

/** What is sent with a command, where it matters. */
interface CommandOptions {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How often a command is sent again that a machine too busy could not take. */
const TRIES = 10;

/** Nothing was decided: the database was away, or too many commands on one order took their turns before it. */
function isTooBusy({ status, json }: Answer): boolean {
  return status === 503 || json['detail'] === 'Other commands on this order are being carried out.';
}

/** Sends a command on an order: `pay`, `capture`, `cancel` or `refunds`; again, as a client does, where nothing was decided. */
export async function command(
  stack: Stack,
  orderId: string,
  name: string,
  body?: object | null,
  { key = crypto.randomUUID(), headers = {} }: CommandOptions = {},
): Promise<Answer> {
  for (let left = TRIES; ; left -= 1) {
    const answer = await stack.call(`/v1/orders/${orderId}/${name}`, {
      method: 'POST',
      idempotencyKey: key,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    if (!isTooBusy(answer) || left === 0) return answer;
  }
}

/** Orders a refund that must be accepted. */
export async function refund(stack: Stack, orderId: string, body: object = {}, options: CommandOptions = {}): Promise<RefundJson> {
  const answer = await command(stack, orderId, 'refunds', body, options);
  if (answer.status !== 201) throw new Error(`the refund was refused: ${answer.text}`);
  return JSON.parse(answer.text);
}

export async function readRefund(stack: Stack, id: string): Promise<RefundJson> {
  return JSON.parse((await stack.call(`/v1/refunds/${id}`)).text);
}

/** Waits until the refund has this status. */
export function refundIn(stack: Stack, id: string, status: string): Promise<RefundJson> {
  return waitFor(`refund ${id} to become ${status}`, async () => {
    const now = await statusOf(stack.database, id);
    const seen = now === status ? await readRefund(stack, id) : null;
    if (seen?.status === status) return seen;
    throw new Error(`it is ${now}`);
  });
}

/** The refunds of an order, newest first. */
export async function refundsOf(stack: Stack, orderId: string): Promise<readonly RefundJson[]> {
  const list: { data: RefundJson[] } = JSON.parse((await stack.call(`/v1/orders/${orderId}/refunds`)).text);
  return list.data;
}

/** One line of an order's timeline. */
export interface TimelineJson {
  readonly type: string;
  readonly cause: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export async function timelineOf(stack: Stack, orderId: string): Promise<readonly TimelineJson[]> {
  const list: { data: TimelineJson[] } = JSON.parse((await stack.call(`/v1/orders/${orderId}/events`)).text);
  return list.data;
}

/** The id of an order's intent, which must exist. */
export function intentOf({ id, payment }: OrderJson): string {
  if (payment.stripePaymentIntentId === null) throw new Error(`order ${id} has no intent`);
  return payment.stripePaymentIntentId;
}

/** An operation as its row says. */
export interface OperationRow {
  readonly id: string;
  readonly kind: string;
  readonly ordered_by: string;
  readonly status: string;
  readonly key: string;
}

/** The operations that were ordered for an order, in order. */
export function operationsOf({ database }: Stack, orderId: string): Promise<OperationRow[]> {
  return database.query<OperationRow>(
    `SELECT op.id, op.kind, op.ordered_by, op.status, op.stripe_idempotency_key AS key FROM payment_operations op
     WHERE op.order_id = $1::uuid ORDER BY op.sequence`,
    [uuidOf('ord', orderId)],
  );
}

/** Waits until the last operation of this kind has this status. */
export function operationIn(stack: Stack, orderId: string, kind: string, status: string): Promise<OperationRow> {
  return waitFor(`the ${kind} of ${orderId} to be ${status}`, async () => {
    const operations = await operationsOf(stack, orderId);
    const last = operations.findLast((operation) => operation.kind === kind);
    if (last?.status === status) return last;
    throw new Error(JSON.stringify(operations));
  });
}

/** Lets the time come at which an operation is tried again, long enough ago for the sweeper. */
export async function becomeDue({ database }: Stack, operationId: string): Promise<void> {
  await database.query(
    `UPDATE payment_operations SET next_attempt_at = now() - interval '3 seconds', swept_at = NULL WHERE id = $1::uuid AND next_attempt_at > now()`,
    [operationId],
  );
}
