import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import pg from 'pg';

const repository = resolve(import.meta.dirname, '../../..');
const serverUrl = process.env.ONCEPAY_TEST_POSTGRES_URL ?? assert.fail('run the tests with `npm test`');

const schema = `datasource db {
  provider = "postgresql"
}

model Note {
  id Int @id
}
`;

const projects: { folder: string; database: string }[] = [];

after(async () => {
  for (const { folder, database } of projects) {
    rmSync(folder, { recursive: true, force: true });
    await query(`${serverUrl}postgres`, `DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
  }
});

describe('Prisma CLI without its downloaded engine', () => {
  const noted = aProject({
    '20260101000000_first': 'CREATE TABLE "Note" ("id" INTEGER NOT NULL, CONSTRAINT "Note_pkey" PRIMARY KEY ("id"));',
  });

  it('creates a database, applies migrations once, and then reports it up to date', async () => {
    const project = noted;
    assert.match(project.prisma('migrate', 'deploy').output, /All migrations have been successfully applied/);
    assert.match(project.prisma('migrate', 'deploy').output, /No pending migrations to apply/);
    assert.match(project.prisma('migrate', 'status').output, /Database schema is up to date/);
    assert.deepEqual(await project.query('SELECT migration_name, applied_steps_count FROM _prisma_migrations'), [
      { migration_name: '20260101000000_first', applied_steps_count: 1 },
    ]);
  });

  it('tells a schema that its migrations do not make from one that they do', () => {
    const project = noted;
    const diff = () => project.prisma('migrate', 'diff', '--from-migrations', 'migrations', '--to-schema', 'schema.prisma', '--exit-code');
    assert.equal(diff().code, 0);

    project.write('schema.prisma', `${schema}model Added {\n  id Int @id\n}\n`);
    const { code, output } = diff();
    assert.equal(code, 2);
    assert.match(output, /\[\+\] Added tables\s+- Added/);
  });

  it('writes and applies the migration that a changed schema needs', async () => {
    const project = aProject({});
    assert.equal(project.prisma('migrate', 'dev', '--name', 'first note').code, 0);
    const [folder] = readdirSync(join(project.folder, 'migrations')).filter((name) => name.endsWith('_first_note'));
    assert.match(readFileSync(join(project.folder, 'migrations', folder ?? '', 'migration.sql'), 'utf8'), /CREATE TABLE "Note"/);
    assert.deepEqual(await project.query('SELECT count(*)::int FROM "Note"'), [{ count: 0 }]);
  });

  it('undoes the whole of a migration that fails, function bodies with semicolons included', async () => {
    const working = 'CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;';
    const project = aProject({
      '20260101000000_works': working,
      '20260102000000_fails': 'CREATE TABLE half (); CREATE TABLE wrong (a no_such_type);',
    });
    const { code, output } = project.prisma('migrate', 'deploy');
    assert.equal(code, 1);
    assert.match(output, /no_such_type/);
    assert.deepEqual(await project.query("SELECT one(), to_regclass('half') AS half"), [{ one: 1, half: null }]);
  });

  it('leaves no shadow database behind', async () => {
    assert.deepEqual(
      await query(`${serverUrl}postgres`, "SELECT datname FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow_db%'"),
      [],
    );
  });
});

function aProject(migrations: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'oncepay-prisma-spec-'));
  const database = `prisma_cli_${randomUUID()}`;
  projects.push({ folder, database });
  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text);
  write('schema.prisma', schema);
  write(
    'prisma.config.ts',
    "export default { schema: 'schema.prisma', migrations: { path: 'migrations' }, datasource: { url: process.env.DATABASE_URL } };",
  );
  for (const [name, sql] of Object.entries(migrations)) {
    mkdirSync(join(folder, 'migrations', name), { recursive: true });
    write(join('migrations', name, 'migration.sql'), sql);
    write(join('migrations', 'migration_lock.toml'), 'provider = "postgresql"\n');
  }
  return {
    folder,
    write,
    query: (text: string) => query(`${serverUrl}${database}`, text),
    prisma: (...args: string[]) => prisma(folder, `${serverUrl}${database}`, args),
  };
}

function prisma(folder: string, databaseUrl: string, args: string[]): { code: number | null; output: string } {
  const run = spawnSync(process.execPath, [join(repository, 'node_modules/prisma/build/index.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      CHECKPOINT_DISABLE: '1',
      DATABASE_URL: databaseUrl,
      NO_COLOR: '1',
      PRISMA_SCHEMA_ENGINE_BINARY: join(repository, 'tools/prisma-engine.mjs'),
    },
  });
  return { code: run.status, output: run.stdout + run.stderr };
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
