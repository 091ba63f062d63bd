import { headerOf, type Exchange } from '../http/exchange.js';
import { parseForm } from '../http/form.js';

/** A control was used wrongly; the message says how to use it. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** What a control was given: a JSON object (or array of objects), a form, or a query. */
export type ControlInput = Record<string, unknown>;

export function readInput(exchange: Exchange): ControlInput | ControlInput[] {
  const query = parseForm(exchange.query);
  if (exchange.body.trim() === '') return query;
  if ((headerOf(exchange, 'content-type') ?? '').startsWith('application/x-www-form-urlencoded'))
    return { ...query, ...parseForm(exchange.body) };
  let parsed: unknown;
  try {
    parsed = JSON.parse(exchange.body);
  } catch {
    throw new ControlError('The body must be JSON, or a form.');
  }
  if (Array.isArray(parsed)) return parsed.map(asObject);
  return { ...query, ...asObject(parsed) };
}

export function oneInput(exchange: Exchange): ControlInput {
  const input = readInput(exchange);
  if (Array.isArray(input)) throw new ControlError('The body must be one JSON object.');
  return input;
}

export function optionalText(input: ControlInput, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new ControlError(`${name} must be a text.`);
}

export function optionalNumber(input: ControlInput, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new ControlError(`${name} must be a number.`);
}

export function optionalFlag(input: ControlInput, name: string): boolean | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new ControlError(`${name} must be true or false.`);
}

/** One number or a list of them. */
export function optionalNumbers(input: ControlInput, name: string): number[] | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => optionalNumber({ [name]: item }, name) ?? 0);
}

export function asObject(value: unknown): ControlInput {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new ControlError('Expected a JSON object.');
}

/** Letters and digits alone, so that `json_without_error` and `jsonWithoutError` are one word. */
export function bareWord(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** The input under the names the controls know. */
export function renamed(input: ControlInput, aliases: Readonly<Record<string, string>>): ControlInput {
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [aliases[name] ?? name, value]));
}

/** A misspelt name would silently do nothing, so it is refused. */
export function refuseUnknownNames(input: ControlInput, known: readonly string[]): void {
  const unknown = Object.keys(input).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new ControlError(`Unknown: ${unknown.join(', ')}. Known: ${known.join(', ')}.`);
}

/** The words a caller may use for the two ways a thing can end. */
export function outcomeOf(input: ControlInput): 'succeeded' | 'failed' {
  const word = optionalText(input, 'outcome')?.toLowerCase();
  if (word === undefined) throw new ControlError('outcome is missing: "succeeded" or "failed".');
  if (['succeeded', 'succeed', 'success', 'complete', 'completed', 'authenticated', 'won'].includes(word)) return 'succeeded';
  if (['failed', 'fail', 'failure', 'declined', 'canceled', 'cancel', 'lost'].includes(word)) return 'failed';
  throw new ControlError(`outcome must be "succeeded" or "failed", not "${word}".`);
}
