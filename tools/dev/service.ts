import { type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { startBound, stopBound } from '../bound-process.js';

export type ServiceName = 'api' | 'worker' | 'stripe-simulator';

interface ServiceOptions {
  readonly name: ServiceName;
  readonly env: NodeJS.ProcessEnv;
  readonly logsFolder: string;
  /** Where it lies as one file, if it does. */
  readonly bundles: string | null;
  /** Called when it ends and nobody asked it to. */
  readonly onDeath: (service: Service, death: Death) => void;
}

export interface Death {
  /** Completes "The worker …". */
  readonly how: string;
  /** Somebody killed it from outside, or a failpoint did; it did not fail by itself. */
  readonly wasKilled: boolean;
}

const TITLES: Readonly<Record<ServiceName, string>> = { api: 'API', worker: 'worker', 'stripe-simulator': 'Stripe simulator' };
/** The compiled file is dist/tools/dev/service.js. */
const DIST = resolve(import.meta.dirname, '../..');
const ROOT = dirname(DIST);
/** A worker finishes its call to Stripe first, which takes at most 10 s; killed before that, the next one takes over. */
const STOP_TIMEOUT_MS = 5_000;

/** One of our programs as a process of its own, with its output in a file. It never outlives this process. */
export class Service {
  readonly logFile: string;
  #child: ChildProcess;
  #isStopping = false;

  constructor(private readonly options: ServiceOptions) {
    mkdirSync(options.logsFolder, { recursive: true });
    this.logFile = join(options.logsFolder, `${options.name}.log`);
    // The log of the start before is what explains why there was one more.
    if (existsSync(this.logFile)) renameSync(this.logFile, join(options.logsFolder, `${options.name}.previous.log`));
    this.#child = this.#spawn(options.env);
  }

  get name(): ServiceName {
    return this.options.name;
  }

  get title(): string {
    return TITLES[this.options.name];
  }

  /** Starts it anew after it ended; its log goes on. A failpoint has served its purpose by then. */
  restart(): void {
    const { ONCEPAY_FAILPOINT: _, ...env } = this.options.env;
    this.#child = this.#spawn(env);
  }

  /** Lets it finish what it is doing; past a few seconds it is killed. Safe to repeat. */
  stop(): Promise<void> {
    this.#isStopping = true;
    return stopBound(this.#child, STOP_TIMEOUT_MS, 'SIGKILL');
  }

  kill(): void {
    this.#isStopping = true;
    this.#child.kill('SIGKILL');
  }

  /** A build since then has removed what was bundled of the one before. */
  #program(): string {
    const { name, bundles } = this.options;
    const bundle = bundles === null ? null : join(bundles, `${name}.cjs`);
    return bundle !== null && existsSync(bundle) ? bundle : join(DIST, 'apps', name, 'src/main.js');
  }

  #spawn(env: NodeJS.ProcessEnv): ChildProcess {
    const { onDeath } = this.options;
    const output = openSync(this.logFile, 'a', 0o600);
    const child = startBound([process.execPath, '--enable-source-maps', this.#program()], { cwd: ROOT, output, env });
    closeSync(output);
    child.on('exit', (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      if (!this.#isStopping) onDeath(this, { how, wasKilled: signal !== null });
    });
    return child;
  }
}
