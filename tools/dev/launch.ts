import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config } from '#libs/config';
import { type EmbeddedPostgres } from '../embedded-postgres.js';
import { bundledApps } from './bundles.js';
import { type DataFolder } from './data-folder.js';
import { type Plan } from './plan.js';
import { type Death, Service, type ServiceName } from './service.js';
import { StartError } from './start-error.js';
import { migrateTables, ownDatabase, startPostgres } from './storage.js';
import { shown } from './summary.js';
import { say, step, styled, timed } from './terminal.js';
import { answers, waitUntil } from './wait-until.js';

/** Node loads, connects and listens in about one second; a machine under load has been seen to take ten times that. */
const READY_TIMEOUT_MS = 60_000;
/** Asking costs the processor time that those who start need. */
const READY_EVERY_MS = 50;
/** A process that is killed now and then is what this project is about; one that cannot live is not. */
const RESTARTS_MAX = 5;
const RESTARTS_WITHIN_MS = 60_000;
const LINES_SHOWN = 12;

/** What one `npm start` has started, and how it ends. */
export class Launch {
  readonly #services: Service[] = [];
  readonly #restartedAt: number[] = [];
  #postgres: Promise<EmbeddedPostgres> | null = null;
  #isReady = false;

  /** Aborting `ending` is the end of the launch; its reason says why. */
  constructor(private readonly ending: AbortController) {}

  /** Starts everything, as much of it at the same time as can be, and resolves when it can take orders. */
  async startAll(plan: Plan, folder: DataFolder): Promise<void> {
    const { simulatorUrl, config } = plan;
    const simulator =
      simulatorUrl === null ? null : timed(this.#untilAnswering(this.#start('stripe-simulator', plan.env, folder), simulatorUrl));
    // Beside the start of the database, which leaves a core to it.
    const bundling = bundledApps();
    const database = plan.isDatabaseGiven ? config.database : await this.#openDatabase(plan, folder);
    if (config.migrateOnStart) {
      const migrated = timed(this.#unlessEnded(migrateTables(database.directUrl)));
      await step('Schema', migrated, (count) => (count === 0 ? 'up to date' : `${count} migrations applied`));
    }
    const env = { ...plan.env, DATABASE_URL: database.url, DATABASE_DIRECT_URL: database.directUrl };
    const bundles = await this.#unlessEnded(bundling);
    const api = this.#start('api', env, folder, bundles);
    const worker = this.#start('worker', { ...env, ADMIN_PORT: String(plan.workerPort) }, folder, bundles);
    const workerUrl = `http://localhost:${plan.workerPort}/health/ready`;
    const both = timed(Promise.all([this.#untilAnswering(api, `${plan.apiUrl}/health/live`), this.#untilAnswering(worker, workerUrl)]));
    if (simulator) await step('Stripe simulator', simulator, () => `${simulatorUrl}/_sim`);
    await step('API and worker', both, () => `${plan.apiUrl}   logs: ${shown(folder.file('logs'))}`);
    this.#isReady = true;
  }

  /** Stops what takes orders, then what it needs. Safe at any moment of the start. */
  async stopAll(): Promise<void> {
    const named = (name: ServiceName): Service[] => this.#services.filter((service) => service.name === name);
    await Promise.all([...named('api'), ...named('worker')].map((service) => service.stop()));
    await Promise.all(named('stripe-simulator').map((service) => service.stop()));
    const postgres = await this.#postgres?.catch(() => null);
    await postgres?.stop();
  }

  /** Ends our processes at once. PostgreSQL shuts down by itself when this process is gone. */
  killAll(): void {
    for (const service of this.#services) service.kill();
  }

  async #openDatabase({ stripe }: Plan, folder: DataFolder): Promise<Config['database']> {
    const dataDir = folder.file('pg');
    const server = startPostgres(dataDir, { onDeath: (how) => void this.#replaceDatabase(dataDir, how) });
    this.#postgres = server;
    const opened = server.then((started) => ownDatabase(started, stripe));
    const url = await step('PostgreSQL 18 (bundled)', timed(this.#unlessEnded(opened)), () => `data: ${shown(dataDir)}`);
    return { url, directUrl: url };
  }

  /** Starts the server again on the same data and port, where API and worker look for it. */
  async #replaceDatabase(dataDir: string, how: string): Promise<void> {
    if (this.ending.signal.aborted) return;
    const logFile = join(dataDir, 'server.log');
    const story = toldOf('database', how, logFile, lastLines(logFile, LINES_SHOWN));
    if (!this.#isReady || !this.#mayRestart()) {
      this.ending.abort(new StartError(story));
      return;
    }
    say('', styled('yellow', story), '', 'Starting the database again.', '');
    const port = (await this.#postgres)?.port;
    this.#postgres = startPostgres(dataDir, {
      ...(port === undefined ? {} : { port }),
      onDeath: (next) => void this.#replaceDatabase(dataDir, next),
    });
    this.#postgres.catch((error: unknown) => this.ending.abort(error));
  }

  #start(name: ServiceName, env: NodeJS.ProcessEnv, folder: DataFolder, bundles: string | null = null): Service {
    const onDeath = (dead: Service, death: Death): void => this.#onDeath(dead, death);
    const service = new Service({ name, env, logsFolder: folder.file('logs'), bundles, onDeath });
    this.#services.push(service);
    return service;
  }

  #untilAnswering(service: Service, url: string): Promise<true> {
    return waitUntil(
      { what: `the ${service.title} on ${url}`, timeoutMs: READY_TIMEOUT_MS, everyMs: READY_EVERY_MS, signal: this.ending.signal },
      () => answers(url, this.ending.signal),
    );
  }

  /** What was killed is replaced, so that one can watch it heal; what failed by itself is shown, and ends the launch. */
  #onDeath(service: Service, { how, wasKilled }: Death): void {
    if (this.ending.signal.aborted) return;
    const story = toldOf(service.title, how, service.logFile, lastLines(service.logFile, LINES_SHOWN));
    if (!wasKilled || !this.#isReady || !this.#mayRestart()) {
      this.ending.abort(new StartError(story));
      return;
    }
    say('', styled('yellow', story), '', `Starting the ${service.title} again.`, '');
    service.restart();
  }

  #mayRestart(): boolean {
    const now = performance.now();
    this.#restartedAt.push(now);
    return this.#restartedAt.filter((at) => now - at < RESTARTS_WITHIN_MS).length <= RESTARTS_MAX;
  }

  async #unlessEnded<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.ending;
    signal.throwIfAborted();
    let end = (): void => undefined;
    const ended = new Promise<never>((_, fail) => {
      end = () => fail(signal.reason);
      signal.addEventListener('abort', end, { once: true });
    });
    try {
      return await Promise.race([work, ended]);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
}

function toldOf(title: string, how: string, logFile: string, lines: readonly string[]): string {
  return [`The ${title} ${how}. The end of ${shown(logFile)}:`, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** The end of what it has logged. */
function lastLines(file: string, count: number): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
}
