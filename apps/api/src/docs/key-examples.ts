import { type Examples } from './example.js';

const KEY_ID = 'key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c';
const IDEMPOTENCY = { 'Idempotency-Key': '5f0c8a4e-0a57-4f0e-9a43-1d2b7c6e8f91' };

const KEY = {
  id: KEY_ID,
  object: 'api_key',
  kind: 'restricted',
  mode: 'test',
  name: 'refund desk',
  scopes: ['orders:read'],
  origins: [],
  ipRanges: ['203.0.113.0/24'],
  replaces: null,
  createdAt: '2026-11-25T10:00:00.000Z',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};
const MADE = { ...KEY, key: `oncepay_rk_test_${KEY_ID.slice(4)}_s0meth1ngN0b0dyCanGuess00000000AbCdEf` };

/** What the API reference shows of the operations on API keys. */
export const KEY_EXAMPLES: Examples = {
  makeKey: {
    restricted: {
      summary: 'For reading orders, from one place',
      parameters: IDEMPOTENCY,
      body: { kind: 'restricted', name: 'refund desk', scopes: ['orders:read'], ipRanges: ['203.0.113.0/24'] },
      answer: MADE,
    },
  },
  listKeys: { one: { answer: { object: 'list', data: [KEY], hasMore: false, nextCursor: null } } },
  getKey: { restricted: { parameters: { id: KEY_ID }, answer: KEY } },
  rotateKey: {
    hour: {
      summary: 'The old key goes on for an hour',
      parameters: { id: KEY_ID, ...IDEMPOTENCY },
      body: { overlapSeconds: 3600 },
      answer: { ...MADE, replaces: 'key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2d' },
    },
  },
  revokeKey: { revoked: { parameters: { id: KEY_ID }, answer: { ...KEY, revokedAt: '2026-11-25T11:00:00.000Z' } } },
};
