export { KEEP_ALIVE, watchConnection } from './connection-watch.js';
export { assertNoOpenTransaction, Database, Prisma, type Tx } from './database.js';
export { listen } from './listen.js';
export { isMigrated, migrate, MigrationError, MIGRATIONS_FOLDER } from './migrate.js';
export { readBacklog, readVitalSigns } from './vital-signs.js';
export { isDatabaseUnavailable, isLockTimeout } from './unavailable.js';
