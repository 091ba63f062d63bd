export { type JobKind, type JobPayloads, type QueueName } from './catalogue.js';
export { type FailedJob, type JobHandlers, type JobOutcome, JobQueues, migrateQueue } from './job-queues.js';
export { OutboxBell } from './outbox-bell.js';
export { claimOutbox, deleteOutbox, INSERT_OUTBOX, insertOutboxRow, OUTBOX_CHANNEL, type OutboxMessage } from './outbox.store.js';
export { isOverdue, type Sweep } from './overdue.js';
export { prepareStorage } from './prepare-storage.js';
export { EvictingRedisError } from './redis.js';
