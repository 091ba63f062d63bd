import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, startBound, stopBound } from '../../tools/bound-process.js';
import { freePort } from '../../tools/free-port.js';
import { findProgram } from '../../tools/test-services.js';

const START_TIMEOUT_MS = 60_000;

/** A Redis of the storm's own, set up the way a job queue needs it, always at the same address. */
export class RedisServer {
  #server: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly program: string,
  ) {}

  /** null where no redis-server is installed. */
  static async open(folder: string): Promise<RedisServer | null> {
    const program = findProgram(['redis-server']);
    if (program === undefined) return null;
    const server = new RedisServer(folder, await freePort(), program);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<void> {
    if (this.#server !== null && !hasEnded(this.#server)) return;
    mkdirSync(this.folder, { recursive: true });
    const log = openSync(join(this.folder, 'server.log'), 'a');
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.folder,
      appendonly: 'yes',
      'maxmemory-policy': 'noeviction',
      save: '',
    };
    const command = [this.program, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])];
    this.#server = startBound(command, { cwd: this.folder, output: log });
    closeSync(log);
    for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(20)) {
      if ((await this.command('PING').catch(() => '')) === '+PONG') return;
      if (Date.now() > deadline) throw new Error(`redis-server did not start; see ${this.folder}/server.log`);
    }
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null || hasEnded(server)) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }

  /** What it had written down is gone; to be called while it is down. */
  forget(): void {
    rmSync(join(this.folder, 'appendonlydir'), { recursive: true, force: true });
  }

  /** Stops it where it is: connections stay, and nothing answers. */
  freeze(): void {
    this.#server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#server?.kill('SIGCONT');
  }

  /** Asks it to end, for which it writes down what it has. */
  async stop(): Promise<void> {
    this.thaw();
    if (this.#server !== null) await stopBound(this.#server, START_TIMEOUT_MS, 'SIGKILL');
  }

  /** Sends one inline command and answers the first line of the reply. */
  command(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(`${line}\r\n`));
      socket.setTimeout(5_000, () => socket.destroy(new Error('Redis is silent')));
      socket.once('data', (reply) => {
        socket.destroy();
        resolve(reply.toString().split('\r\n', 1)[0] ?? '');
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('Redis hung up')));
    });
  }
}
