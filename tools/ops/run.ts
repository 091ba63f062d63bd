import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Ask, COMMANDS, UsageError } from './commands.js';
import { table, whole } from './show.js';

/** Where lines go: to people, or to tests. */
export interface Screen {
  out(text: string): void;
  error(text: string): void;
}

/** 0: done. 1: the API refused it. 2: the command line is wrong. 3: the API does not answer. */
export type ExitCode = 0 | 1 | 2 | 3;

const TIMEOUT_MS = 30_000;
const DEVELOPMENT_URL = 'http://localhost:3000';
/** Where `npm start` keeps the keys it made. */
const DEVELOPMENT_KEYS = '.oncepay/keys.json';

const width = Math.max(...Object.values(COMMANDS).map(({ usage }) => usage.length));
const USAGE = `npm run ops -- <command> [--json]

${Object.values(COMMANDS)
  .map(({ usage, does }) => `  ${usage.padEnd(width)}  ${does}`)
  .join('\n')}

  --limit N, --after CURSOR   one page of a list
  --json                      the answer as it came
  ONCEPAY_URL                 the API, or its ADMIN_PORT where there is one (${DEVELOPMENT_URL})
  ONCEPAY_OPS_KEY             a secret key with the scope ops (development: that of npm start)

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the API does not answer.`;

/** Runs one command of an operator over the HTTP API. Throws nothing. */
export async function runOps(argv: readonly string[], env: NodeJS.ProcessEnv, screen: Screen): Promise<ExitCode> {
  try {
    const { values, positionals } = parse(argv);
    const [name, subject, ...more] = positionals;
    if (values.help || name === undefined) {
      screen.out(USAGE);
      return values.help ? 0 : 2;
    }
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw new UsageError(`there is no command "${name}"`);
    if (more.length > 0) throw new UsageError(`"${more.join(' ')}" is too much: ${command.usage}`);
    const { json: asJson, help: _, 'dry-run': isDryRun, ...options } = values;
    const ask = command.ask({ subject, options, isDryRun });
    return await send(ask, connectionOf(env), screen, asJson);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    screen.error(`${error.message}\nnpm run ops -- --help shows every command.`);
    return 2;
  }
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

function parse(argv: readonly string[]) {
  try {
    const options = { status: text, type: text, from: text, to: text, limit: text, after: text, 'dry-run': flag, json: flag, help: flag };
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

interface Connection {
  readonly url: string;
  readonly key: string;
}

function connectionOf(env: NodeJS.ProcessEnv): Connection {
  const url = (env['ONCEPAY_URL'] ?? DEVELOPMENT_URL).replace(/\/+$/, '');
  if (!URL.canParse(url)) throw new UsageError(`ONCEPAY_URL is no address: ${url}`);
  const key = env['ONCEPAY_OPS_KEY'] ?? developmentKey();
  if (key === null)
    throw new UsageError(`Set ONCEPAY_OPS_KEY to a secret key with the scope ops; there is no ${DEVELOPMENT_KEYS} of npm start here`);
  return { url, key };
}

function developmentKey(): string | null {
  try {
    const { secretKey }: { secretKey?: unknown } = JSON.parse(readFileSync(DEVELOPMENT_KEYS, 'utf8'));
    return typeof secretKey === 'string' ? secretKey : null;
  } catch {
    return null;
  }
}

async function send({ method, path, body, columns }: Ask, { url, key }: Connection, screen: Screen, asJson: boolean): Promise<ExitCode> {
  let status: number;
  let answer: string;
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    answer = await response.text();
  } catch (error) {
    const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    screen.error(`${url} does not answer: ${reason}`);
    return 3;
  }
  const object = objectOf(answer);
  if (status >= 400 || object === null) {
    if (asJson && object !== null) screen.out(answer);
    else screen.error(refusalOf(status, object, url));
    return 1;
  }
  screen.out(asJson ? answer : shown(object, columns));
  return 0;
}

function shown(object: Readonly<Record<string, unknown>>, columns: readonly string[] | null): string {
  if (columns === null || !Array.isArray(object['data'])) return whole(object);
  const { nextCursor } = object;
  const more =
    typeof nextCursor === 'string'
      ? `\nThere is more: --after ${nextCursor}`
      : object['hasMore'] === true
        ? '\nThere is more: --limit'
        : '';
  return `${table(object['data'], columns)}${more}`;
}

function refusalOf(status: number, problem: Readonly<Record<string, unknown>> | null, url: string): string {
  if (problem === null || typeof problem['detail'] !== 'string') return `${url} answered ${status} with what is no answer of Oncepay`;
  return `${String(problem['title'])} (${status} ${String(problem['code'])}): ${problem['detail']}\nrequest id: ${String(problem['requestId'])}`;
}

function objectOf(answer: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
