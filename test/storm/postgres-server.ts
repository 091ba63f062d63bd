import { once } from 'node:events';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../tools/embedded-postgres.js';
import { freePort } from '../../tools/free-port.js';
import { findRunningServer } from '../../tools/postgres-lock-file.js';

const DATABASE = 'storm';

/** A PostgreSQL of the storm's own that syncs every commit to disk, always at the same address. */
export class PostgresServer {
  #server: EmbeddedPostgres | null = null;
  /** The processes that were stopped where they are. */
  #frozen: readonly number[] = [];

  private constructor(
    private readonly dataDir: string,
    private readonly port: number,
    private readonly password: string,
  ) {}

  /** `password` is a canary: the server asks for none, and no log may show it. */
  static async open(dataDir: string, password: string): Promise<PostgresServer> {
    const server = new PostgresServer(dataDir, await freePort(), password);
    await server.start();
    await server.query(`CREATE DATABASE ${DATABASE}`, [], 'postgres');
    return server;
  }

  get url(): string {
    return `postgresql://postgres:${this.password}@127.0.0.1:${this.port}/${DATABASE}`;
  }

  async start(): Promise<void> {
    this.#server ??= await startEmbeddedPostgres({ dataDir: this.dataDir, port: this.port, durable: true });
  }

  /** `pg_ctl stop -m fast`: connections are cut, work under way is rolled back, then a checkpoint. */
  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  /** `pg_ctl stop -m immediate`: as after a power cut, without the power cut. The next start recovers. */
  async crash(): Promise<void> {
    this.thaw();
    const running = findRunningServer(this.dataDir);
    if (running !== undefined) process.kill(running.pid, 'SIGQUIT');
    await this.stop();
  }

  /** Kills one of the server's backends, after which the server restarts all of them and recovers. */
  async killBackend(chance: number): Promise<void> {
    const rows = await this.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = '${DATABASE}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    const victim = rows[Math.floor(chance * rows.length)];
    if (victim !== undefined) process.kill(victim.pid, 'SIGKILL');
  }

  /** Stops the server with all its processes where they are: connections stay, and nothing answers. */
  async freeze(): Promise<void> {
    const rows = await this.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
    const running = findRunningServer(this.dataDir);
    this.#frozen = [...(running === undefined ? [] : [running.pid]), ...rows.map(({ pid }) => pid)];
    this.#signalFrozen('SIGSTOP');
  }

  thaw(): void {
    this.#signalFrozen('SIGCONT');
    this.#frozen = [];
  }

  /** Cuts every connection; the server stays. */
  async terminateBackends(): Promise<void> {
    await this.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${DATABASE}' AND pid <> pg_backend_pid()`);
  }

  /** Runs one statement on a connection of its own, so that no fault leaves anything behind. */
  async query<R extends object>(sql: string, params: readonly unknown[] = [], database = DATABASE): Promise<R[]> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'postgres', database, connectionTimeoutMillis: 5_000 });
    // A connection that is cut says so twice; the query is told as well.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<R>(sql, [...params])).rows;
    } finally {
      const closed = once(client, 'end');
      client.end().catch(() => undefined);
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1_000))]);
    }
  }

  #signalFrozen(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.#frozen) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended by itself.
      }
    }
  }
}
