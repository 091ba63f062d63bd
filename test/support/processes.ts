import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Readable } from 'node:stream';
import { bundleApp } from '../../tools/bundle.js';

/** Seen from dist/test/support. */
const ROOT = join(import.meta.dirname, '../../..');
/** The apps with `arm-on-message`, of one file each. Each run of `npm test` makes this folder anew. */
const BUNDLES = join(ROOT, 'dist/test-processes');

/** What runs them. */
const RUN_BUNDLE = join(ROOT, 'dist/tools/run-bundle.js');

/** How long a process may take to say that it is ready, on a machine that runs other tests too. */
const READY_TIMEOUT_MS = 120_000;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of ours. */
export interface AppProcess {
  /** Resolves once it is ready or has died of a failpoint. */
  ready(): Promise<void>;
  readonly ended: Promise<Exit>;
  /** Asks it to stop, and waits. */
  stop(): Promise<void>;
  /** Sends a signal and waits for nothing: SIGSTOP freezes it, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Lets it die when it next reaches this failpoint; to start a process for each would cost more than all the rest of the crash tests. */
  arm(failpoint: string): Promise<void>;
  /** Everything it has written so far, to either stream. */
  output(): string;
}

const READY_LINES = { api: 'the API listens', worker: 'the worker works' } as const;

/** Starts what `npm run start:api` or `start:worker` starts as its own process and waits until it is ready or has died. */
export async function startApp(app: 'api' | 'worker', env: Readonly<Record<string, string>>): Promise<AppProcess> {
  const launched = await launchApp(app, env);
  await launched.ready();
  return launched;
}

/** Starts it and waits for nothing. */
export async function launchApp(app: 'api' | 'worker', env: Readonly<Record<string, string>>): Promise<AppProcess> {
  const child = fork(RUN_BUNDLE, [await bundled(app)], {
    execArgv: [],
    env: { PATH: process.env['PATH'] ?? '', ...env },
    silent: true,
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('bug: the output is not piped');
  const ended = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }));
  const errors: string[] = [];
  const written: string[] = [];
  stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  for (const stream of [stdout, stderr]) stream.on('data', (chunk: Buffer) => written.push(chunk.toString()));
  const line = waitForLine(stdout, READY_LINES[app]);
  const ready = async (): Promise<void> => {
    const first = await Promise.race([line, ended.then(() => 'ended' as const), timeout()]);
    if (first === 'late') {
      child.kill('SIGKILL');
      throw new Error(`the ${app} was not ready within ${READY_TIMEOUT_MS} ms: ${errors.join('')}`);
    }
    if (first === 'ended' && (await ended).signal !== 'SIGKILL')
      throw new Error(`the ${app} ended instead of starting: ${errors.join('')}`);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  const arm = async (failpoint: string): Promise<void> => {
    const isArmed = once(child, 'message');
    child.send(failpoint);
    await isArmed;
  };
  return {
    ready,
    ended,
    stop: () => end('SIGTERM'),
    signal: (signal) => void child.kill(signal),
    kill: () => end('SIGKILL'),
    arm,
    output: () => written.join(''),
  };
}

const bundles = new Map<string, Promise<string>>();

/** The app as one file, which the first test process that needs it writes for all. */
function bundled(app: 'api' | 'worker'): Promise<string> {
  const made = bundles.get(app) ?? bundle(app);
  bundles.set(app, made);
  return made;
}

async function bundle(app: 'api' | 'worker'): Promise<string> {
  const file = join(BUNDLES, `${app}.cjs`);
  if (existsSync(file)) return file;
  // Another process may be writing it too: the last one's takes the name, and they are alike.
  const draft = join(BUNDLES, `${app}-${process.pid}.cjs`);
  await bundleApp({ root: ROOT, app, before: ['test/support/arm-on-message.js'], outfile: draft });
  renameSync(draft, file);
  return file;
}

async function waitForLine(output: Readable, text: string): Promise<'ready'> {
  const lines = createInterface({ input: output });
  return new Promise((resolve) => {
    // Reading goes on for ever: a full pipe would stop the process.
    lines.on('line', (line) => {
      if (line.includes(text)) resolve('ready');
    });
  });
}

function timeout(): Promise<'late'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('late'), READY_TIMEOUT_MS).unref();
  });
}
