export { CLAIM_KEYS, type KeyClaim, type StoredResponse } from './idempotency-key.store.js';
export { fingerprintOf, type IdempotencyScope, type IdempotentRequest, parseIdempotencyKey } from './idempotency-key.js';
export { type Claim, type CommandAnswer, type Execute, IdempotentCommands } from './idempotent-commands.js';
