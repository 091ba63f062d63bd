import { parse } from 'qs';
import { invalidParameter, StripeError } from './stripe-error.js';

/** Parameters as they arrived: strings, nested in objects and arrays by their brackets. */
export type RawParams = Record<string, unknown>;

/** Deep enough for every documented parameter; nested deeper, qs would join the rest of the name into one. */
const DEPTH_MAX = 12;
const PARAMETERS_MAX = 5_000;

/** Reads `a[b]=1&c[]=2&d[0][e]=3`, from a query or a body. */
export function parseForm(text: string): RawParams {
  return parse(text, { depth: DEPTH_MAX, parameterLimit: PARAMETERS_MAX, arrayLimit: 1_000, plainObjects: true, allowEmptyArrays: false });
}

export function parseBody(body: string, contentType: string | undefined): RawParams {
  if (body === '') return {};
  if (contentType !== undefined && !contentType.startsWith('application/x-www-form-urlencoded')) {
    throw new StripeError(400, {
      message:
        'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.',
      kept: false,
    });
  }
  return parseForm(body);
}

/** An array written as `a[]=`, or as `a[0]=`, or with gaps between its indices. */
export function asArray(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && value !== null) {
    const entries: [string, unknown][] = Object.entries(value);
    if (entries.every(([index]) => /^\d+$/.test(index))) return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item);
  }
  throw invalidParameter(undefined, 'Invalid array', name);
}

/** An object written as `a[b]=`; `a[0]=` is one with the name `0`. */
export function asObject(value: unknown, name: string): RawParams {
  if (typeof value === 'object' && value !== null) return { ...value };
  throw invalidParameter('parameter_invalid_object', 'Invalid object', name);
}
