import { acknowledged, type Answer, type Command } from '../history.js';
import { Check, type Dump, ELSEWHERE, type Evidence, grouped, type KeyRow, type RefundRow, type Verdict } from './evidence.js';

/** R1: what was acknowledged is there. */
export function acknowledgedIsThere({ history, dump }: Evidence): Verdict {
  const check = new Check('R1', 'every acknowledged command is there');
  const there = new Set([...dump.orders.map(({ id }) => `/v1/orders/${id}`), ...dump.refunds.map(({ id }) => `/v1/refunds/${id}`)]);
  const rows = rowsByKey(dump);
  for (const command of history.commands) {
    const answer = acknowledged(command);
    if (answer === null) continue;
    check.that(
      answer.location !== null && there.has(answer.location),
      () => `${named(command)} was acknowledged, but ${answer.location} is not there`,
    );
    check.that(
      (rows.get(command.key) ?? []).some(({ location }) => location === answer.location),
      () => `${named(command)} was acknowledged, but its key is not stored`,
    );
  }
  return check.verdict();
}

/** R2: one effect per scope and key. */
export function oneEffectAKey({ history, dump, stripe }: Evidence): Verdict {
  const check = new Check('R2', 'one effect per scope and key');
  for (const rows of grouped(dump.keys, (row) => `${row.account} ${row.audience} ${row.key}`).values())
    check.that(rows.length === 1, () => `the key ${rows[0]?.key} is stored ${rows.length} times`);
  const commands = grouped(history.commands, ({ key }) => key);
  const made = new Map<string, number>();
  const ordered = new Map<string, number>();
  for (const row of dump.keys) {
    const verb = commands.get(row.key)?.[0]?.verb;
    check.that(verb !== undefined, () => `the key ${row.key} is stored, but nobody ever sent it`);
    if (row.status >= 300 || row.location === null) continue;
    if (verb === 'create' || verb === 'refund') made.set(row.location, (made.get(row.location) ?? 0) + 1);
    else ordered.set(`${verb} ${row.location}`, (ordered.get(`${verb} ${row.location}`) ?? 0) + 1);
  }
  for (const { id } of dump.orders)
    check.that(made.get(`/v1/orders/${id}`) === 1, () => `the order ${id} was made by ${made.get(`/v1/orders/${id}`) ?? 0} keys`);
  const elsewhere = new Set(stripe.refunds.filter(({ metadata }) => ELSEWHERE in metadata).map(({ id }) => id));
  const refunds = dump.refunds.filter(({ stripeId }) => stripeId === null || !elsewhere.has(stripeId));
  for (const { id } of refunds)
    check.that(made.get(`/v1/refunds/${id}`) === 1, () => `the refund ${id} was made by ${made.get(`/v1/refunds/${id}`) ?? 0} keys`);
  for (const [location, answers] of grouped(
    history.commands.filter(({ verb }) => verb === 'create'),
    (command) => acknowledged(command)?.location ?? null,
  ))
    check.that(answers.length === 1, () => `${location} was acknowledged to ${answers.length} keys`);
  operationsAreOrdered(check, dump, refunds, ordered);
  return check.verdict();
}

/**
 * A pay, capture or refund makes exactly one operation; so does a create. A cancel makes one too, unless Stripe had not heard of
 * the order yet: then it is canceled without.
 */
function operationsAreOrdered(check: Check, dump: Dump, ours: readonly RefundRow[], ordered: ReadonlyMap<string, number>): void {
  const operations = grouped(dump.operations, ({ order }) => order);
  const refunds = grouped(ours, ({ order }) => order);
  for (const { id, status } of dump.orders) {
    const own = operations.get(id) ?? [];
    const by = (command: string): number => own.filter(({ orderedBy }) => orderedBy === command).length;
    const of = (kind: string): number => own.filter((operation) => operation.kind === kind).length;
    const accepted = (verb: string): number => ordered.get(`${verb} /v1/orders/${id}`) ?? 0;
    const equal = (verb: string, wanted: number, found: number): void => {
      if (wanted + found > 0)
        check.that(wanted === found, () => `${verb} of ${id} was accepted ${wanted} times and ordered ${found} times`);
    };
    equal('pay', accepted('pay'), by('pay'));
    equal('capture', accepted('capture'), by('capture'));
    equal('refund', (refunds.get(id) ?? []).length, of('refund'));
    check.that(of('create') === 1, () => `the order ${id} has ${of('create')} operations that create an intent`);
    const [wanted, found] = [accepted('cancel'), by('cancel')];
    if (wanted + found === 0) continue;
    const isCarriedOut = found === wanted || (found < wanted && status === 'canceled');
    check.that(isCarriedOut, () => `cancel of ${id}, which is ${status}, was accepted ${wanted} times and ordered ${found} times`);
  }
}

/** R3: all answers for a key are byte-identical, and equal to what is stored. */
export function answersAreOne({ history, dump }: Evidence): Verdict {
  const check = new Check('R3', 'all answers for a key are the same bytes');
  const rows = rowsByKey(dump);
  for (const command of history.commands) {
    const answers = command.attempts.flatMap(({ answer }) => (answer !== null && answer.status < 300 ? [answer] : []));
    const [first] = answers;
    if (first === undefined) continue;
    for (const { status, digest, location } of answers.slice(1))
      check.that(
        status === first.status && digest === first.digest && location === first.location,
        () => `${named(command)} got different answers`,
      );
    check.that(
      answers.filter(({ isReplay }) => !isReplay).length <= 1,
      () => `${named(command)} was carried out ${answers.filter(({ isReplay }) => !isReplay).length} times`,
    );
    for (const { answer } of command.attempts.filter(({ invokedAt }) => invokedAt > acknowledgedAt(command)))
      check.that(
        answer === null || answer.status < 300 || answer.status >= 500 || answer.code === 'idempotency_key_in_progress',
        () => `${named(command)} was acknowledged, and its repetition answered ${answer?.status} ${answer?.code}`,
      );
    const stored = (rows.get(command.key) ?? []).some(
      ({ status, digest, location }) => status === first.status && digest === first.digest && location === first.location,
    );
    check.that(stored, () => `what is stored for ${named(command)} is not what was answered`);
  }
  for (const command of history.commands) {
    const refusals = (rows.get(command.key) ?? []).filter(({ status }) => status >= 400);
    for (const refusal of refusals) refusedAlike(check, command, refusal);
  }
  return check.verdict();
}

/** A refusal that is stored is given to every repetition from its first answer on, to the byte. */
function refusedAlike(check: Check, command: Command, refusal: KeyRow): void {
  const isStored = ({ status, digest }: Answer): boolean => status === refusal.status && digest === refusal.digest;
  const seen = command.attempts.flatMap(({ answer }) => (answer === null ? [] : [answer]));
  check.that(seen.filter((answer) => isStored(answer) && !answer.isReplay).length <= 1, () => `${named(command)} was refused twice`);
  const first = command.attempts.find(({ answer }) => answer !== null && isStored(answer));
  for (const { answer, invokedAt } of command.attempts)
    if (answer !== null && (answer.isReplay || (first !== undefined && invokedAt > first.endedAt)))
      check.that(
        isStored(answer) || answer.status >= 500 || answer.code === 'idempotency_key_in_progress',
        () => `the refusal of ${named(command)} is stored, and its repetition answered ${answer.status} ${answer.code}`,
      );
}

/** R4: a different request under a used key is never carried out. */
export function otherRequestsAreRefused({ history }: Evidence): Verdict {
  const check = new Check('R4', 'another request under a used key is refused');
  for (const command of history.commands)
    for (const { answer } of command.otherRequests)
      if (answer !== null && answer.status < 500)
        check.that(
          answer.status === 422 || answer.code === 'idempotency_key_in_progress',
          () => `another request under the key of ${named(command)} was answered ${answer.status}`,
        );
  return check.verdict();
}

/** R13: whose key made something, that account alone has it. */
export function accountsAreApart({ history, dump }: Evidence): Verdict {
  const check = new Check('R13', "no account reaches another's rows");
  for (const { what, isRefused, answer } of history.trespasses)
    check.that(isRefused, () => `the other account was answered ${answer} to ${what}`);
  const accountOf = new Map(dump.orders.map(({ id, account }) => [id, account]));
  const known = grouped(history.orders.values(), ({ account }) => String(account));
  const owners = [...known.values()].map((orders) => [...new Set(orders.flatMap(({ id }) => accountOf.get(id) ?? []))]);
  for (const accounts of owners)
    check.that(accounts.length === 1, () => `the orders of one merchant belong to ${accounts.length} accounts`);
  check.that(new Set(owners.flat()).size === owners.flat().length, () => 'the merchants share an account');
  for (const { id } of history.orders.values()) check.that(accountOf.has(id), () => `the order ${id} is nobody's`);
  const shared = [...grouped(history.commands, ({ key }) => key).values()].filter((commands) => commands.length > 1);
  for (const commands of shared) {
    const locations = commands.flatMap((command) => acknowledged(command)?.location ?? []);
    check.that(
      new Set(locations).size === locations.length,
      () => `two accounts that used the key ${commands[0]?.key} were given one order`,
    );
  }
  return check.verdict();
}

/** When the first acknowledgement had arrived. */
function acknowledgedAt({ attempts }: Command): number {
  return Math.min(...attempts.filter(({ answer }) => answer !== null && answer.status < 300).map(({ endedAt }) => endedAt));
}

function rowsByKey({ keys }: Dump): Map<string, KeyRow[]> {
  return grouped(keys, ({ key }) => key);
}

function named({ verb, path, key }: Command): string {
  return `${verb} (POST ${path}) under ${key}`;
}
