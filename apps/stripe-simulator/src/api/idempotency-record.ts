import { createHash } from 'node:crypto';
import type { RawParams } from '../http/form.js';

/** The first answer under a key. Its id is the key. */
export interface IdempotencyRecord {
  id: string;
  /** When the first request began, seconds on the virtual clock. */
  created: number;
  fingerprint: string;
  status: number;
  body: string;
  requestId: string;
}

/** What makes two requests the same: endpoint and parameters, in whatever order these were written. */
export function fingerprintOf(method: string, path: string, params: RawParams): string {
  return createHash('sha1')
    .update(`${method} ${path} ${canonical(params)}`)
    .digest('base64');
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}
