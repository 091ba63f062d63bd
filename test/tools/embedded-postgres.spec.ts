import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../tools/embedded-postgres.js';
import { findRunningServer } from '../../tools/postgres-lock-file.js';

const room = mkdtempSync(join(tmpdir(), 'oncepay-embedded-spec-'));
chmodSync(room, 0o755);
after(() => rmSync(room, { recursive: true, force: true }));
/** Made by the first test that starts a server on it; to make one for each of them takes longer than all that they do. */
const shared = join(room, 'shared', 'pg');

describe('embedded PostgreSQL', () => {
  it('keeps its data over stop and start', async () => {
    const first = await start(shared);
    await query(first.url, 'CREATE TABLE note (body text)');
    await query(first.url, "INSERT INTO note VALUES ('kept')");
    await first.stop();

    const second = await start(shared);
    const rows = await query(second.url, 'SELECT body FROM note');
    await second.stop();

    assert.deepEqual([first.firstStart, second.firstStart], [true, false]);
    assert.deepEqual(rows, [{ body: 'kept' }]);
  });

  it('syncs commits to disk only when asked to be durable', async () => {
    for (const [durable, fsync] of [
      [true, 'on'],
      [false, 'off'],
    ] as const) {
      const server = await startEmbeddedPostgres({ dataDir: shared, durable });
      const rows = await query(server.url, 'SHOW fsync');
      await server.stop();
      assert.deepEqual(rows, [{ fsync }]);
    }
  });

  it('joins a server that another call runs and leaves it running', async () => {
    const owner = await start(shared);
    const guest = await start(shared);
    await guest.stop();

    assert.equal(guest.joined, true);
    assert.equal(guest.port, owner.port);
    assert.deepEqual(await query(owner.url, 'SELECT 1 AS one'), [{ one: 1 }]);
    await owner.stop();
  });

  it('stops when its launcher is killed, and starts again on the same data', async () => {
    const { launcher, url } = await startInOtherProcess(shared);
    await query(url, 'CREATE TABLE survived_a_launcher ()');

    launcher.kill('SIGKILL');
    await stoppedWithin(5_000, shared);

    const next = await start(shared);
    assert.equal(next.joined, false);
    assert.deepEqual(await query(next.url, 'SELECT * FROM survived_a_launcher'), []);
    await next.stop();
  });

  it('recovers when server and launcher are killed together', async () => {
    const { launcher, url } = await startInOtherProcess(shared);
    await query(url, 'CREATE TABLE survived_both ()');

    process.kill(findRunningServer(shared)?.pid ?? assert.fail('no server'), 'SIGKILL');
    launcher.kill('SIGKILL');
    await stoppedWithin(5_000, shared);

    const next = await start(shared);
    assert.deepEqual(await query(next.url, 'SELECT * FROM survived_both'), []);
    await next.stop();
  });

  it('starts over a pid file whose number now belongs to another program', async () => {
    writeFileSync(join(shared, 'postmaster.pid'), `${process.pid}\n${shared}\n1\n5432\n\n127.0.0.1\n1 1\nready\n`);

    const next = await start(shared);
    assert.equal(next.joined, false);
    assert.deepEqual(await query(next.url, 'SELECT 1 AS one'), [{ one: 1 }]);
    await next.stop();
  });

  it('refuses a folder that holds something else, and leaves it alone', async () => {
    const dataDir = join(room, 'occupied');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'letter.txt'), 'mine');
    await assert.rejects(start(dataDir), /not empty and no database folder/);
    assert.equal(readFileSync(join(dataDir, 'letter.txt'), 'utf8'), 'mine');
  });

  it('starts below a folder that only root may enter', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
    const closed = join(room, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const server = await start(join(closed, '.oncepay', 'pg'));
    assert.deepEqual(await query(server.url, 'SELECT 1 AS one'), [{ one: 1 }]);
    await server.stop();
  });
});

function start(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, durable: false });
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: `${url}postgres` });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function startInOtherProcess(dataDir: string): Promise<{ launcher: ChildProcess; url: string }> {
  const program = `
    import { startEmbeddedPostgres } from ${JSON.stringify(new URL('../../tools/embedded-postgres.js', import.meta.url).href)};
    const { url } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, durable: false });
    console.log(url);
    setInterval(() => {}, 60_000);`;
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const url of createInterface({ input: launcher.stdout })) return { launcher, url };
  throw new Error('the other process ended without starting a server');
}

async function stoppedWithin(timeoutMs: number, dataDir: string): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; findRunningServer(dataDir); await delay(10)) {
    assert.ok(Date.now() < deadline, `the server on ${dataDir} still runs after ${timeoutMs} ms`);
  }
}
