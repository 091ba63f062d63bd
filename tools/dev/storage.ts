import pg from 'pg';
import { migrate, MIGRATIONS_FOLDER } from '../../libs/database/src/migrate.js';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../embedded-postgres.js';
import { reasonOf, StartError } from './start-error.js';

/** Orders of the simulator, of a test mode and of a live account never share a database: each is compared with its own Stripe. */
const DATABASES = { simulator: 'oncepay', test: 'oncepay_test', live: 'oncepay_live' } as const;
/** PostgreSQL's invalid_catalog_name: there is no such database. */
const NO_SUCH_DATABASE = '3D000';

/** The bundled server on a folder. What was paid here survives a power cut too, as it would elsewhere. Throws StartError. */
export async function startPostgres(
  dataDir: string,
  options: Pick<EmbeddedPostgresOptions, 'port' | 'onDeath'>,
): Promise<EmbeddedPostgres> {
  try {
    return await startEmbeddedPostgres({ dataDir, durable: true, ...options });
  } catch (error) {
    throw new StartError(`${reasonOf(error).trim()}\nThe way past it: set DATABASE_URL to a PostgreSQL of your own.`, { cause: error });
  }
}

/** The URL of our database on that server; makes it when it is missing. */
export async function ownDatabase(server: EmbeddedPostgres, stripe: keyof typeof DATABASES): Promise<string> {
  const name = DATABASES[stripe];
  const url = `${server.url}${name}`;
  if (!(await exists(url))) await run(`${server.url}postgres`, `CREATE DATABASE ${name}`);
  return url;
}

/**
 * Brings our tables to this version, as `npm run migrate` does, and answers how many migrations that took. The queue's tables are left
 * to API and worker, which have loaded BullMQ anyway. Throws StartError when it cannot.
 */
export async function migrateTables(url: string): Promise<number> {
  try {
    return (await migrate(url, MIGRATIONS_FOLDER)).length;
  } catch (error) {
    throw new StartError(`The database could not be prepared: ${reasonOf(error)}`, { cause: error });
  }
}

async function exists(url: string): Promise<boolean> {
  try {
    await run(url, 'SELECT 1');
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === NO_SUCH_DATABASE) return false;
    throw error;
  }
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'oncepay start' });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
