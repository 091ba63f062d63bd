import { command, refund, refundIn } from '../support/commands.js';
import { type OrderJson, PUBLISHABLE_KEYS, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';
import { signatureOf } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';
import { type Drawn } from './requests.js';
import { type WireRequest } from './sender.js';

/** What no request of this kind is answered for, and what therefore may differ after a refusal. */
const UNCOUNTED = ['_prisma_migrations', 'rate_limit_counts', 'idempotency_keys'];

/** So few that most requests meet something in a state that others have brought about. */
const KNOWN_MAX = 30;

/** An installation with one of everything an id can name, and without a worker: only requests change anything. */
export class World {
  readonly #usedKeys: string[] = [];

  private constructor(
    readonly stack: Stack,
    private readonly ids: Readonly<Record<string, string[]>>,
    /** Of some operations: what they can be carried out on. */
    private readonly suited: Readonly<Record<string, readonly string[]>>,
  ) {}

  static async make(): Promise<World> {
    const stack = await startStack();
    const { ids, suited } = await populate(stack);
    await stack.stopWorker();
    const tables = await stack.database.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> ALL ($1)`,
      [UNCOUNTED],
    );
    const counts = tables.map(({ name }) => `'${name}', (SELECT count(*) FROM "${name}")`);
    // In a function its plan is made once: it is asked after every other request.
    await stack.database.query(
      `CREATE FUNCTION counts_of_all() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
         RETURN json_build_object(${counts.join()}, 'versions', (SELECT sum(version) FROM orders),
           'keys in force', (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL AND expires_at IS NULL)); END $$`,
    );
    return new World(stack, ids, suited);
  }

  /** The request with what it names put in. */
  wire({ operation, caller, id, query, idempotencyKey, headers, body }: Drawn): WireRequest {
    const known = this.ids[collectionOf(operation.path)] ?? [];
    // Every other one is in a state that the operation needs and few requests bring about.
    const among = typeof id === 'number' && id % 2 === 0 ? (this.suited[operation.id] ?? known) : known;
    const named = typeof id === 'number' ? (among[(id >> 1) % among.length] ?? 'none') : id;
    const key = {
      secret: SECRET_KEYS[0],
      publishable: PUBLISHABLE_KEYS[0],
      'other account': SECRET_KEYS[1],
      nobody: null,
      'a guess': 'oncepay_sk_test_guess',
    }[caller];
    const usual: [string, string][] = [
      ...(key === null ? [] : [['Authorization', `Bearer ${key}`] as [string, string]]),
      ...(body === null ? [] : [['Content-Type', 'application/json'] as [string, string]]),
      ...(idempotencyKey === null ? [] : [['Idempotency-Key', this.#keyFor(idempotencyKey)] as [string, string]]),
      // What is not signed is refused unread: test/flows/webhook-intake.spec.ts.
      ...(operation.headers.includes('Stripe-Signature') ? [['Stripe-Signature', this.#signed(body)] as [string, string]] : []),
    ];
    const isReplaced = ([name]: readonly [string, string]): boolean => headers.some(([other]) => other === name);
    return {
      method: operation.method,
      url: `${this.stack.apiUrl}${operation.path.replace(/\{\w+\}/, named)}${query === '' ? '' : `?${query}`}`,
      headers: [...usual.filter((header) => !isReplaced(header)), ...headers],
      body,
    };
  }

  /** Lets later requests speak of what an answer told of. */
  learn({ operation, caller }: Drawn, wire: WireRequest, id: unknown): void {
    if (caller !== 'secret') return;
    const key = wire.headers.find(([name]) => name === 'Idempotency-Key')?.[1];
    if (key !== undefined) this.#usedKeys.push(key);
    const { [operation.id === 'createRefund' ? '/v1/refunds' : collectionOf(operation.path)]: known } = this.ids;
    if (typeof id !== 'string' || known === undefined) return;
    if (operation.method === 'DELETE') known.splice(known.indexOf(id), known.length > 1 ? 1 : 0);
    else if (!known.includes(id) && known.length < KNOWN_MAX) known.push(id);
  }

  /** How many rows there are of what. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    const [row] = await this.stack.database.query<{ counts: string }>('SELECT counts_of_all() AS counts');
    return JSON.parse(row?.counts ?? '{}');
  }

  #signed(body: Buffer | null): string {
    return signatureOf((body ?? Buffer.alloc(0)).toString('utf8'), { secret: this.stack.webhookSecret });
  }

  #keyFor(key: NonNullable<Drawn['idempotencyKey']>): string {
    if (typeof key === 'object') return key.text;
    return (key === 'used' ? this.#usedKeys.at(-1) : undefined) ?? crypto.randomUUID();
  }
}

function collectionOf(path: string): string {
  return path.split('/{')[0] ?? path;
}

async function populate(stack: Stack): Promise<{ ids: Record<string, string[]>; suited: Record<string, string[]> }> {
  const price = { name: 'T-shirt', currency: 'usd', unitAmount: 2_000 };
  for (const key of SECRET_KEYS) await stack.call('/v1/prices/tshirt', { method: 'PUT', key, body: price });
  const unpaid = { paymentMethod: undefined };
  const some = (status: string, traits: object): Promise<readonly OrderJson[]> =>
    Promise.all([1, 2, 3].map(() => brought(stack, status, traits)));
  const [paid, authorized, payable, [hosted]] = await Promise.all([
    some('paid', {}),
    some('authorized', { captureMethod: 'manual' }),
    some('requires_payment', unpaid),
    some('requires_payment', { ...unpaid, checkout: 'hosted', returnUrl: 'https://shop.example/' }),
  ]);
  const [first] = paid;
  if (first === undefined || hosted === undefined) throw new Error('bug: nothing was ordered');
  const returned = await refundIn(stack, (await refund(stack, first.id, { amount: 500 })).id, 'succeeded');
  const canceled = await brought(stack, 'requires_payment', unpaid);
  await command(stack, canceled.id, 'cancel');
  await stack.orderIn(canceled.id, 'canceled');
  const keys = await Promise.all(
    ['a', 'b', 'c'].map((name) => stack.call('/v1/keys', { idempotencyKey: crypto.randomUUID(), body: { kind: 'secret', name } })),
  );
  const { json: comparison } = await stack.call('/v1/ops/reconciliations', { body: { dryRun: true } });
  const [event] = await waitFor('an event to be applied', async () => {
    const rows = await stack.database.query<{ id: string }>(`SELECT id FROM webhook_events WHERE status = 'applied' LIMIT 1`);
    return rows.length > 0 && rows;
  });
  await waitFor('the comparison to be over', async () => {
    const { json } = await stack.call(`/v1/ops/reconciliations/${String(comparison['id'])}`);
    return json['status'] === 'done';
  });
  const idsOf = (orders: readonly OrderJson[]): string[] => orders.map(({ id }) => id);
  const ids = {
    '/v1/orders': idsOf([...paid, canceled, hosted, ...authorized, ...payable]),
    '/v1/refunds': [returned.id],
    '/v1/prices': ['tshirt'],
    '/problems': ['forbidden'],
    '/v1/keys': keys.map(({ json }) => String(json['id'])),
    '/v1/ops/webhook-events': [event?.id ?? ''],
    '/v1/ops/operations': [first.id.replace('ord_', 'op_')],
    '/v1/ops/jobs': [crypto.randomUUID()],
    '/v1/ops/reconciliations': [String(comparison['id'])],
  };
  return { ids, suited: { captureOrder: idsOf(authorized), payOrder: idsOf(payable), createRefund: idsOf(paid) } };
}

async function brought(stack: Stack, status: string, traits: object): Promise<OrderJson> {
  return stack.orderIn((await stack.order(traits)).id, status);
}
