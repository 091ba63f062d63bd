import { type TestDatabase } from './database.js';
import { journalOf } from './payment-facts.js';
import { type OrderJson, type Stack } from './stack.js';

/** The operations whose way to Stripe a test can spoil. */
export type Struck = 'create' | 'confirm';

/** An order that waits for the worker, with the keys its operations will go to Stripe under. */
export interface LaidOrder {
  readonly id: string;
  /** The public ids of its operations; Stripe's keys are these with a generation behind. */
  readonly operations: Readonly<Record<Struck, string>>;
}

/** Accepts an order while the worker is stopped. */
export async function layOrder(stack: Stack, overrides: object = {}): Promise<LaidOrder> {
  const { id }: OrderJson = await stack.order(overrides);
  const rows = await stack.database.query<{ kind: Struck; key: string }>(
    `SELECT op.kind, op.stripe_idempotency_key AS key FROM payment_operations op JOIN orders o ON o.id = op.order_id WHERE o.client_secret LIKE $1 || '\\_secret\\_%'`,
    [id],
  );
  const keyOf = (kind: Struck): string => rows.find((row) => row.kind === kind)?.key.replace(/-1$/, '') ?? 'none';
  return { id, operations: { create: keyOf('create'), confirm: keyOf('confirm') } };
}

/** Lets the simulator spoil what one operation of an order sends. `fault` as `POST /_sim/faults` takes it. */
export async function strike(stack: Stack, { operations }: LaidOrder, struck: Struck, fault: object): Promise<void> {
  const answer = await stack.control('/_sim/faults', { ...fault, key: `${operations[struck]}-*` });
  if (answer.status !== 200) throw new Error(answer.text);
}

/** One request of an operation at the simulator. */
export interface Sent {
  readonly generation: number;
  readonly status: number | null;
  readonly at: number;
}

/** What an operation sent, in order. */
export async function sentFor(stack: Stack, { operations }: LaidOrder, struck: Struck): Promise<readonly Sent[]> {
  const key = operations[struck];
  const entries = await journalOf(stack, 'kind=request');
  return entries
    .filter(({ idempotencyKey }) => String(idempotencyKey).startsWith(`${key}-`))
    .map(({ idempotencyKey, status, at }) => ({
      generation: Number(String(idempotencyKey).slice(key.length + 1)),
      status: typeof status === 'number' ? status : null,
      at: Number(at),
    }));
}

/** Writes down every status an operation ever has from now on. */
export async function keepHistory({ query }: TestDatabase): Promise<void> {
  await query('CREATE TABLE operation_history (position bigserial, key text, status text, in_doubt boolean, due_in_seconds float8)');
  await query(`CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO operation_history (key, status, in_doubt, due_in_seconds)
      VALUES (regexp_replace(NEW.stripe_idempotency_key, '-\\d+$', ''), NEW.status, NEW.in_doubt, extract(epoch FROM NEW.next_attempt_at - now())); RETURN NEW; END $$`);
  await query(
    'CREATE TRIGGER history AFTER UPDATE ON payment_operations FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION keep_history()',
  );
}

/** The statuses an operation had, in order; a doubtful one is marked with a question mark. */
export async function historyOf({ database }: Stack, { operations }: LaidOrder, struck: Struck): Promise<string> {
  const rows = await database.query<{ status: string; in_doubt: boolean }>(
    'SELECT status, in_doubt FROM operation_history WHERE key = $1 ORDER BY position',
    [operations[struck]],
  );
  return rows.map(({ status, in_doubt: inDoubt }) => `${status}${inDoubt && status !== 'unknown' ? '?' : ''}`).join(' ');
}

/** How long an operation was put off when it first got this status. Units: seconds. */
export async function putOffFor({ database }: Stack, { operations }: LaidOrder, struck: Struck, status: string): Promise<number | null> {
  const [row] = await database.query<{ seconds: number }>(
    'SELECT due_in_seconds AS seconds FROM operation_history WHERE key = $1 AND status = $2 ORDER BY position LIMIT 1',
    [operations[struck], status],
  );
  return row?.seconds ?? null;
}
