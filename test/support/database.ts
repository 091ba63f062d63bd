import pg from 'pg';
import { migrate, MIGRATIONS_FOLDER } from '#libs/database';
import { migrateQueue } from '#libs/jobs';

/** Any number, the same in every test process: it lets one of them build the template. */
const TEMPLATE_LOCK = 4_710_815;

/** A database of a test's own. */
export interface TestDatabase {
  readonly url: string;
  /** Runs a query of the test itself, past everything that is tested. */
  query<R extends object>(sql: string, params?: readonly unknown[]): Promise<R[]>;
  drop(): Promise<void>;
}

/** Makes a migrated, empty database in some 30 ms: a copy of a template that the first test of the run builds. */
export async function freshDatabase(): Promise<TestDatabase> {
  const template = `oncepay_template_${requireEnv('ONCEPAY_TEST_RUN_ID')}`;
  return createDatabase(async (admin, name) => {
    await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    await buildTemplate(admin, template);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
}

/** Makes a database without any table, for tests of the migrations themselves. */
export function emptyDatabase(): Promise<TestDatabase> {
  return createDatabase(async (admin, name) => {
    await admin.query(`CREATE DATABASE ${name}`);
  });
}

async function createDatabase(create: (admin: pg.Client, name: string) => Promise<void>): Promise<TestDatabase> {
  const name = `oncepay_test_${crypto.randomUUID().replaceAll('-', '')}`;
  await asAdmin((admin) => create(admin, name));
  const pool = new pg.Pool({ connectionString: urlOf(name), max: 4 });
  // Tests stop and cut servers; what happens to this pool then is no finding.
  pool.on('error', () => undefined);
  return {
    url: urlOf(name),
    query: async <R extends object>(sql: string, params: readonly unknown[] = []) => (await pool.query<R>(sql, [...params])).rows,
    drop: async () => {
      await pool.end();
      await asAdmin(async (admin) => {
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      });
    },
  };
}

async function buildTemplate(admin: pg.Client, template: string): Promise<void> {
  const { rowCount } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
  if (rowCount === 1) return;
  const draft = `${template}_draft`;
  await admin.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${draft}`);
  await migrate(urlOf(draft), MIGRATIONS_FOLDER);
  await migrateQueue(urlOf(draft));
  await admin.query(`ALTER DATABASE ${draft} RENAME TO ${template}`);
}

async function asAdmin(work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(requireEnv('ONCEPAY_TEST_POSTGRES_URL'));
  url.pathname = `/${database}`;
  return url.href;
}

function requireEnv(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run tests by "npm test"`);
  return value;
}
