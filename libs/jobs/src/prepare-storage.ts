import { type Config } from '#libs/config';
import { isMigrated, migrate, MigrationError, MIGRATIONS_FOLDER } from '#libs/database';
import { migrateQueue } from './job-queues.js';

/**
 * Brings our tables and, where the queue lives in PostgreSQL, BullMQ's to this version; or, where processes may not
 * migrate, makes sure that it was done. Returns the names of the migrations it applied. Safe to repeat and to run in
 * several processes at once. Throws MigrationError.
 */
export async function prepareStorage({
  database,
  redisUrl,
  migrateOnStart,
}: Pick<Config, 'database' | 'redisUrl' | 'migrateOnStart'>): Promise<readonly string[]> {
  if (!migrateOnStart) {
    if (await isMigrated(database.directUrl, MIGRATIONS_FOLDER)) return [];
    throw new MigrationError('the database is not at this version: run "npm run migrate" first, or set MIGRATE_ON_START=true');
  }
  const applied = await migrate(database.directUrl, MIGRATIONS_FOLDER);
  if (redisUrl === null) await migrateQueue(database.directUrl);
  return applied;
}
