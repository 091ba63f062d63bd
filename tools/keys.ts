// npm run keys: makes, lists, rotates and revokes API keys in the database itself, as nobody has a key yet when an installation is new.
import { parseArgs } from 'node:util';
import { ConfigError, loadConfig } from '#libs/config';
import { DomainError, systemClock, systemEntropy } from '#libs/primitives';
import { ApiKeys, viewKey } from '../apps/api/src/keys/api-keys.js';
import { reasonOf } from './dev/start-error.js';

const USAGE = `npm run keys -- make --kind secret|restricted|publishable --name <name> [--account <uuid>]
                   [--scopes orders:read,…] [--origins https://shop.example,…] [--ip-ranges 203.0.113.0/24,…] [--expires 2030-01-01T00:00:00Z]
npm run keys -- list [--account <uuid>]
npm run keys -- rotate <id> [--overlap <seconds>]
npm run keys -- revoke <id>

Without --account, make opens a new account. A key is shown once. DATABASE_URL, STRIPE_SECRET_KEY and ONCEPAY_KEY_PEPPER must be those of the API.`;

const OPTIONS = {
  kind: { type: 'string' },
  name: { type: 'string' },
  account: { type: 'string' },
  scopes: { type: 'string' },
  origins: { type: 'string' },
  'ip-ranges': { type: 'string' },
  expires: { type: 'string' },
  overlap: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

try {
  await run();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [command, id = ''] = positionals;
  if (values.help === true || command === undefined || command === 'help') return console.log(USAGE);
  // What the API checks and describes requests with takes longest to load, so only what needs it waits for it; help, for nothing.
  const loadParsers = () => import('../apps/api/src/keys/key.requests.js');
  const { Database } = await import('#libs/database');
  const { database: where, keyPepper: pepper, stripe } = loadConfig();
  const onError = (error: Error): void => console.error(error.message);
  const database = new Database({ url: where.directUrl, behindPooler: false, onError });
  const keys = new ApiKeys({ database, clock: systemClock, entropy: systemEntropy, mode: stripe.mode, pepper });
  const account = accountIn(values.account);
  try {
    if (command === 'make') {
      const { parseMakeKey } = await loadParsers();
      return show(await keys.make(database.autocommit, parseMakeKey(traitsIn(values), account ?? systemEntropy.uuid(), new Date())));
    }
    if (command === 'list')
      return console.table((await keys.list(database.autocommit, account)).map((row) => ({ account: row.accountId, ...viewKey(row) })));
    if (command === 'rotate') {
      const { parseRotateKey } = await loadParsers();
      const overlapSeconds = parseRotateKey(values.overlap === undefined ? {} : { overlapSeconds: Number(values.overlap) });
      return show(await database.transaction(async (tx) => keys.rotate(tx, await keys.find(tx, id, null), overlapSeconds)));
    }
    if (command === 'revoke')
      return console.log(viewKey(await keys.revoke(database.autocommit, await keys.find(database.autocommit, id, null))));
    console.error(USAGE);
    process.exitCode = 1;
  } finally {
    await database.close();
  }
}

/** Without what was not given, as it would be sent. */
function traitsIn(values: Partial<Record<Exclude<keyof typeof OPTIONS, 'help'>, string>>): object {
  const { kind, name, expires } = values;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
    ...(expires === undefined ? {} : { expiresAt: expires }),
    ...listIn('scopes', values.scopes),
    ...listIn('origins', values.origins),
    ...listIn('ipRanges', values['ip-ranges']),
  };
}

function listIn(name: string, value: string | undefined): object {
  return value === undefined ? {} : { [name]: value.split(',').map((part) => part.trim()) };
}

function accountIn(account: string | undefined): string | null {
  if (account !== undefined && !UUID.test(account)) throw new ConfigError(['--account must be a UUID']);
  return account ?? null;
}

function show({ row, key }: Awaited<ReturnType<ApiKeys['make']>>): void {
  console.log({ account: row.accountId, ...viewKey(row) });
  console.log(`\n${key}\n\nThis is the only time the key is shown.`);
}

function explain(error: unknown): string {
  if (error instanceof DomainError) return [error.detail, ...error.errors.map(({ field, message }) => `  ${field} ${message}`)].join('\n');
  return error instanceof ConfigError ? error.message : reasonOf(error);
}
