import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** The migrations of this version, seen from the compiled file. */
export const MIGRATIONS_FOLDER = join(import.meta.dirname, '../../../../prisma/migrations');

/** Prisma's own advisory lock, so that `prisma migrate deploy` and this applier exclude each other. */
const PRISMA_LOCK = 72_707_369;

/** Prisma's own history table, column for column, so that either tool can go on where the other stopped. */
const HISTORY_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ, "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT, "rolled_back_at" TIMESTAMPTZ, "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`;

/** Looking takes milliseconds; a database that does not answer must not keep health checks waiting. */
const LOOK_TIMEOUT_MS = 5_000;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface HistoryRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/** The database and the migrations on disk contradict each other; nothing was changed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** All migrations of a folder, oldest first. */
function readMigrations(folder: string): readonly Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/**
 * Applies what is missing, each migration in its own implicit transaction, under a lock that lets one process do it
 * while the others wait. Returns the names it applied. Safe to repeat and to run in several processes at once.
 * Throws MigrationError when an applied migration was edited, or one was left half applied.
 */
export async function migrate(url: string, folder: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'oncepay migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    await client.query(HISTORY_TABLE);
    const applied: string[] = [];
    for (const migration of await pending(client, folder)) {
      await apply(client, migration);
      applied.push(migration.name);
    }
    return applied;
  } finally {
    // Ending the session releases the lock.
    await client.end();
  }
}

/**
 * Whether every migration of `folder` is applied; how a process that must not migrate finds out whether it may start.
 * Throws MigrationError like `migrate`.
 */
export async function isMigrated(url: string, folder: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'oncepay migrate',
    connectionTimeoutMillis: LOOK_TIMEOUT_MS,
    query_timeout: LOOK_TIMEOUT_MS,
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ present: boolean }>(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`);
    return rows[0]?.present === true && (await pending(client, folder)).length === 0;
  } finally {
    await client.end();
  }
}

async function pending(client: pg.Client, folder: string): Promise<readonly Migration[]> {
  const { rows } = await client.query<HistoryRow>(
    'SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY migration_name',
  );
  const migrations = readMigrations(folder);
  for (const row of rows) {
    const onDisk = migrations.find((migration) => migration.name === row.migration_name);
    if (row.finished_at === null)
      throw new MigrationError(
        `migration ${row.migration_name} was left half applied: repair it, then mark it with "prisma migrate resolve"`,
      );
    // Unknown here means applied by a newer version during a rolling deployment: migrations expand first, so this one may run beside it.
    if (onDisk !== undefined && onDisk.checksum !== row.checksum)
      throw new MigrationError(`migration ${row.migration_name} was edited after it was applied: restore it and add a new one`);
  }
  return migrations.filter((migration) => !rows.some((row) => row.migration_name === migration.name));
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID();
  await client.query('INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ($1, $2, $3)', [id, checksum, name]);
  // One simple query is one implicit transaction: a statement that fails takes the whole file back.
  await client.query(sql);
  await client.query('UPDATE "_prisma_migrations" SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id]);
}
