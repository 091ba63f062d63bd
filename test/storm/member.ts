import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, startBound } from '../../tools/bound-process.js';
import { request } from './requests.js';

interface MemberOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Answers 200 once the process works. */
  readonly readyUrl: string;
}

/** A machine that runs several storms at once starts a process in half a minute. */
const READY_TIMEOUT_MS = 120_000;
/** What a polite stop may take: a call to Stripe ends within its timeout. */
const STOP_TIMEOUT_MS = 45_000;
const LOOK_EVERY_MS = 50;

/** One process of the installation, with its log in a file, kept running as a supervisor would. */
export class Member {
  #child: ChildProcess | null = null;
  #isWanted = false;
  /** How it died when nobody had asked it to, once it was ready. */
  readonly deaths: string[] = [];
  /** How polite stops ended that should have ended well. */
  readonly badStops: string[] = [];

  constructor(private readonly options: MemberOptions) {}

  get name(): string {
    return this.options.name;
  }

  get isRunning(): boolean {
    return this.#child !== null && !hasEnded(this.#child);
  }

  /** Starts it, again and again while it dies before it is ready, and resolves once it is. */
  async start(): Promise<void> {
    this.#isWanted = true;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (this.#isWanted) {
      if (!this.isRunning) this.#spawn();
      if (await this.isReady()) return;
      if (Date.now() > deadline) throw new Error(`${this.name} was not ready within ${READY_TIMEOUT_MS} ms; see ${this.options.logFile}`);
      await sleep(this.isRunning ? LOOK_EVERY_MS : 4 * LOOK_EVERY_MS);
    }
  }

  async isReady(): Promise<boolean> {
    if (!this.isRunning) return false;
    return request(this.options.readyUrl, { timeoutMs: 5_000 }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL', STOP_TIMEOUT_MS);
  }

  /** Asks it to stop, and waits until it has. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!(await this.#end('SIGTERM', STOP_TIMEOUT_MS))) this.badStops.push(`${this.name} did not stop within ${STOP_TIMEOUT_MS} ms`);
    else if (child !== null && child.exitCode !== 0) this.badStops.push(`${this.name} was asked to stop and ended with ${exitOf(child)}`);
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  #spawn(): void {
    const { command, cwd, env, logFile } = this.options;
    const log = openSync(logFile, 'a', 0o600);
    const child = startBound([...command], { cwd, output: log, env });
    closeSync(log);
    this.#child = child;
    let wasReady = false;
    void this.#becomesReady(child).then((isReady) => {
      wasReady = isReady;
    });
    child.on('exit', () => {
      if (!this.#isWanted || this.#child !== child || !wasReady) return;
      this.deaths.push(`${this.name} died by itself: ${exitOf(child)}`);
      this.#spawn();
    });
  }

  async #becomesReady(child: ChildProcess): Promise<boolean> {
    while (!hasEnded(child)) {
      if (await this.isReady()) return true;
      await sleep(LOOK_EVERY_MS);
    }
    return false;
  }

  /** Says whether it ended in time; past that it is killed. */
  async #end(signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === null || hasEnded(child)) return true;
    const ended = once(child, 'exit').then(() => true);
    child.kill(signal);
    // One that is frozen hears of it only when it goes on.
    child.kill('SIGCONT');
    const waiting = new AbortController();
    const isInTime = await Promise.race([ended, sleep(timeoutMs, false, { signal: waiting.signal }).catch(() => false)]);
    waiting.abort();
    if (!isInTime) child.kill('SIGKILL');
    await ended;
    return isInTime;
  }
}

function exitOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode ?? `code ${exitCode}`;
}
