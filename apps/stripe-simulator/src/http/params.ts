import { asArray, asObject, type RawParams } from './form.js';
import { invalidParameter, type StripeError } from './stripe-error.js';

/** How one parameter is read from its raw form. `name` is its full name, as in `card[number]`. */
export interface Param<T> {
  parse(value: unknown, name: string): T;
}

export type Shape = Record<string, Param<unknown>>;

export type Parsed<S extends Shape> = { [K in keyof S]: S[K] extends Param<infer T> ? T : never };

/** Reads all parameters of a request or of a nested object; a name the shape does not have is refused. */
export function parseShape<S extends Shape>(shape: S, raw: RawParams, prefix = ''): Parsed<S> {
  const nameOf = (key: string): string => (prefix === '' ? key : `${prefix}[${key}]`);
  const unknown = Object.keys(raw).filter((key) => !Object.hasOwn(shape, key));
  const [first] = unknown;
  if (first !== undefined) {
    const names = unknown.map(nameOf);
    throw invalidParameter(
      'parameter_unknown',
      `Received unknown parameter${names.length > 1 ? 's' : ''}: ${names.join(', ')}`,
      nameOf(first),
    );
  }
  const entries = Object.entries(shape).map(([key, param]) => [key, param.parse(raw[key], nameOf(key))]);
  return Object.fromEntries(entries) as Parsed<S>;
}

export function required<T>(param: Param<T | undefined>): Param<T> {
  return {
    parse(value, name) {
      const parsed = value === undefined ? undefined : param.parse(value, name);
      if (parsed !== undefined) return parsed;
      throw invalidParameter('parameter_missing', `Missing required param: ${name}.`, name);
    },
  };
}

/** A parameter that an empty value unsets: it reads as null. */
export function unsettable<T>(param: Param<T | undefined>): Param<T | null | undefined> {
  return { parse: (value, name) => (value === '' ? null : param.parse(value, name)) };
}

export function string(maxLength = 5_000): Param<string | undefined> {
  return optional((value, name) => {
    if (typeof value !== 'string') throw invalidParameter(undefined, `Invalid string: ${describe(value)}`, name);
    if (value.length > maxLength) {
      const message = `Invalid string: ${value.slice(0, 20)}...; must be at most ${maxLength} characters`;
      throw invalidParameter('parameter_invalid_string', message, name);
    }
    return value;
  });
}

export function integer(bounds: { min?: number; max?: number } = {}): Param<number | undefined> {
  return optional((value, name) => {
    const number = typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number)) throw invalidParameter('parameter_invalid_integer', `Invalid integer: ${describe(value)}`, name);
    if (bounds.min !== undefined && number < bounds.min) {
      throw invalidParameter('parameter_invalid_integer', `This value must be greater than or equal to ${bounds.min}.`, name);
    }
    if (bounds.max !== undefined && number > bounds.max) {
      throw invalidParameter('parameter_invalid_integer', `This value must be less than or equal to ${bounds.max}.`, name);
    }
    return number;
  });
}

export function boolean(): Param<boolean | undefined> {
  return optional((value, name) => {
    if (value === 'true') return true;
    if (value === 'false') return false;
    throw invalidParameter(undefined, `Invalid boolean: ${describe(value)}`, name);
  });
}

export function oneOf<const V extends string>(...values: readonly V[]): Param<V | undefined> {
  return optional((value, name) => {
    const found = values.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const listed = values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')}, or ${values.at(-1)}`;
    throw invalidParameter(undefined, `Invalid ${name}: must be one of ${listed}`, name);
  });
}

export function object<S extends Shape>(shape: S): Param<Parsed<S> | undefined> {
  return optional((value, name) => parseShape(shape, asObject(value, name), name));
}

export function list<T>(item: Param<T | undefined>): Param<T[] | undefined> {
  return optional((value, name) => asArray(value, name).map((element, index) => required(item).parse(element, `${name}[${index}]`)));
}

/** A parameter Stripe knows and the simulator takes without acting on it. */
export function ignored(): Param<undefined> {
  return { parse: () => undefined };
}

/** A parameter that would change the outcome in a way the simulator cannot: better refused than passed over. */
export function unsupported(): Param<undefined> {
  return {
    parse(value, name) {
      if (value === undefined) return undefined;
      throw invalidParameter(undefined, `The simulator does not support the parameter ${name}.`, name);
    },
  };
}

/** Metadata as given: an empty value stands for a key that is to be removed. */
export type MetadataChange = Record<string, string>;

const METADATA_KEYS_MAX = 50;
const METADATA_KEY_CHARACTERS_MAX = 40;
const METADATA_VALUE_CHARACTERS_MAX = 500;

/** `null` unsets all keys. */
export function metadata(): Param<MetadataChange | null | undefined> {
  return unsettable(
    optional((value, name) => {
      const entries = Object.entries(asObject(value, name));
      if (entries.length > METADATA_KEYS_MAX)
        throw invalidParameter(undefined, `You can have up to ${METADATA_KEYS_MAX} metadata keys.`, name);
      return Object.fromEntries(entries.map(([key, item]) => [metadataKey(key, name), metadataValue(item, `${name}[${key}]`)]));
    }),
  );
}

/** What metadata becomes by a change. */
export function changedMetadata(before: Record<string, string>, change: MetadataChange | null | undefined): Record<string, string> {
  if (change === undefined) return before;
  if (change === null) return {};
  const after = Object.entries({ ...before, ...change }).filter(([, value]) => value !== '');
  if (after.length > METADATA_KEYS_MAX)
    throw invalidParameter(undefined, `You can have up to ${METADATA_KEYS_MAX} metadata keys.`, 'metadata');
  return Object.fromEntries(after);
}

function metadataKey(key: string, name: string): string {
  if (key.length <= METADATA_KEY_CHARACTERS_MAX && !/[[\]]/.test(key)) return key;
  throw invalidParameter(
    undefined,
    `Metadata keys can be at most ${METADATA_KEY_CHARACTERS_MAX} characters long and have no square brackets. Invalid key: ${key.slice(0, 60)}`,
    name,
  );
}

function metadataValue(value: unknown, name: string): string {
  if (typeof value !== 'string')
    throw invalidParameter(undefined, `Metadata values must be strings, but for key you passed in ${describe(value)}`, name);
  if (value.length <= METADATA_VALUE_CHARACTERS_MAX) return value;
  throw invalidParameter(
    undefined,
    `Metadata values can have up to ${METADATA_VALUE_CHARACTERS_MAX} characters, but you passed in a value that is ${value.length} characters. Invalid value: ${value.slice(0, 40)}...`,
    name,
  );
}

function optional<T>(read: (value: unknown, name: string) => T): Param<T | undefined> {
  return {
    parse(value, name) {
      if (value === undefined) return undefined;
      if (value === '') throw emptyParameter(name);
      return read(value, name);
    },
  };
}

function emptyParameter(name: string): StripeError {
  return invalidParameter(
    'parameter_invalid_empty',
    `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
    name,
  );
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
