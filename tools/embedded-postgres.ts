import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  existsSync,
  fchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded, startBound, stopBound } from './bound-process.js';
import { freePort } from './free-port.js';
import { findPostgresBinaries, type PostgresBinaries, type ServerUser, unprivilegedUser } from './postgres-binaries.js';
import { findRunningServer, type RunningServer } from './postgres-lock-file.js';

export interface EmbeddedPostgresOptions {
  /** Where the cluster lives; made when missing. */
  dataDir: string;
  /** Port on 127.0.0.1; any free one by default. */
  port?: number;
  /** false: no fsync, for databases that are thrown away. Commits survive a killed server then, but not a power cut. */
  durable: boolean;
  onProgress?: (message: string) => void;
  /** Called when the server ends and nobody asked it to; `how` completes "the database …". Not for one that is shared. */
  onDeath?: (how: string) => void;
}

export interface EmbeddedPostgres {
  /** Of the superuser, without a database name: postgresql://postgres@127.0.0.1:port/ */
  url: string;
  port: number;
  /** The cluster was made by this call. */
  firstStart: boolean;
  /** The server belongs to another live process and is shared with it; `stop` leaves it running. */
  joined: boolean;
  stop(): Promise<void>;
}

interface Launch {
  binaries: PostgresBinaries;
  dataDir: string;
  user: ServerUser | undefined;
}

// A first start writes 40 MB; on a slow disk under load that has been seen to take many seconds. Halving it costs a false alarm there.
const startTimeoutMs = 60_000;
// After a fast shutdown request the server still writes a checkpoint. Past this it is told to quit at once; the next start recovers.
const stopTimeoutMs = 30_000;
const attemptsMax = 20;
const pollMs = 10;

/**
 * Starts the bundled PostgreSQL on a data folder and resolves when it accepts connections.
 *
 * - As root the server runs as the owner of the data folder, or `nobody` for a new one. The folders above may be closed to that user.
 * - It never outlives its launcher for long: when this process ends in any way, SIGKILL included, the server shuts down. Ctrl-C in
 *   a terminal does not reach it, so a launcher can stop its clients first.
 * - A server left over on this folder by a dead launcher is stopped and replaced; one that belongs to a live process is joined.
 * - The server writes its messages to `server.log` in the data folder.
 * Safe to repeat on the same folder.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  let firstStart = false;
  for (let attempt = 1; ; attempt++) {
    const shared = await settleRunningServer(dataDir, options.onProgress);
    if (shared) return { ...addressOf(shared.port), firstStart, joined: true, stop: async () => {} };

    const user = serverUser(dataDir);
    const launch = { binaries: findPostgresBinaries(user), dataDir, user };
    if (!existsSync(join(dataDir, 'PG_VERSION'))) {
      options.onProgress?.('creating the database folder');
      await createCluster(launch, options.durable);
      firstStart = true;
    }
    const port = options.port ?? (await freePort());
    try {
      const server = await startServer(launch, port, options.durable);
      let isStopping = false;
      server.on('exit', (code, signal) => {
        if (!isStopping) options.onDeath?.(signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
      });
      const stop = (): Promise<void> => {
        isStopping = true;
        return stopServer(server);
      };
      return { ...addressOf(port), firstStart, joined: false, stop };
    } catch (error) {
      if (attempt === attemptsMax || !isPassing(error, options)) throw error;
      await delay(attempt * pollMs);
    }
  }
}

// Another launcher was quicker, backends of a killed server need a moment to go, or somebody took the free port just found.
function isPassing(error: unknown, { port }: EmbeddedPostgresOptions): boolean {
  if (!(error instanceof Error)) return false;
  if (/lock file .* already exists|shared memory block .* still in use/.test(error.message)) return true;
  return port === undefined && error.message.includes('Address already in use');
}

function addressOf(port: number): { url: string; port: number } {
  return { url: `postgresql://postgres@127.0.0.1:${port}/`, port };
}

/** Waits until the folder is free (undefined) or its server can be shared. */
async function settleRunningServer(dataDir: string, onProgress?: (message: string) => void): Promise<RunningServer | undefined> {
  const deadline = Date.now() + startTimeoutMs;
  for (let isToldToStop = false; Date.now() < deadline; await delay(pollMs)) {
    const running = findRunningServer(dataDir);
    if (!running) return undefined;
    if (running.hasLauncher && running.isReady) return running;
    if (running.hasLauncher || isToldToStop) continue;
    onProgress?.('stopping a database server that an ended process left behind');
    interrupt(running.pid);
    isToldToStop = true;
  }
  throw new Error(`The database server that holds ${dataDir} neither starts nor stops; see postmaster.pid there.`);
}

function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function serverUser(dataDir: string): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataDir, { throwIfNoEntry: false });
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : unprivilegedUser();
}

/** Makes the cluster beside its final place and renames it, so that an interrupted first start leaves no half cluster. */
async function createCluster({ binaries, dataDir, user }: Launch, durable: boolean): Promise<void> {
  if (isOccupied(dataDir)) throw inTheWay(dataDir);
  mkdirSync(dirname(dataDir), { recursive: true });
  const draft = mkdtempSync(join(dirname(dataDir), `${basename(dataDir)}-new-`));
  try {
    if (user) chownSync(draft, user.uid, user.gid);
    const args = ['-D', seenFromInside(draft, user), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions'];
    if (!durable) args.push('--no-sync');
    const initdb = spawn(binaries.initdb, args, {
      cwd: draft,
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...user,
    });
    let messages = '';
    initdb.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text));
    const [code] = (await once(initdb, 'close')) as [number | null];
    if (code !== 0) throw new Error(`The database folder ${dataDir} could not be created:\n${messages}`);
    placeCluster(draft, dataDir);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function placeCluster(draft: string, dataDir: string): void {
  try {
    renameSync(draft, dataDir);
  } catch (cause) {
    // A second launcher may have placed its own in the meantime: that one is as good.
    if (!existsSync(join(dataDir, 'PG_VERSION'))) throw inTheWay(dataDir, cause);
  }
}

/** By something other than a cluster. What cannot be looked into shows when the cluster is placed. */
function isOccupied(dataDir: string): boolean {
  try {
    return readdirSync(dataDir).length > 0 && !existsSync(join(dataDir, 'PG_VERSION'));
  } catch {
    return false;
  }
}

function inTheWay(dataDir: string, cause?: unknown): Error {
  return new Error(`${dataDir} is in the way: it is not empty and no database folder.`, { cause });
}

async function startServer({ binaries, dataDir, user }: Launch, port: number, durable: boolean): Promise<ChildProcess> {
  const logFile = join(dataDir, 'server.log');
  rmSync(logFile, { force: true });
  const log = openSync(logFile, 'w', 0o600);
  if (user) fchownSync(log, user.uid, user.gid);
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=300', // parallel test files each start an API and a worker with pools of their own
    'timezone=UTC',
    'log_timezone=UTC',
    `oncepay.launcher=${process.pid}`,
    ...(durable ? [] : FOR_THE_MOMENT),
  ];
  const command = [binaries.postgres, '-D', seenFromInside(dataDir, user), ...settings.flatMap((setting) => ['-c', setting])];
  const server = startBound(command, { cwd: dataDir, output: log, user });
  closeSync(log);

  const deadline = Date.now() + startTimeoutMs;
  while (!hasEnded(server) && Date.now() < deadline) {
    const running = findRunningServer(dataDir);
    if (running?.pid === server.pid && running?.isReady) return server;
    await delay(pollMs);
  }
  await stopServer(server);
  throw new Error(`The database server on ${dataDir} did not start:\n${readFileSync(logFile, 'utf8')}`);
}

/** Of databases that live for seconds and are never needed again. */
const FOR_THE_MOMENT = [
  'fsync=off',
  'full_page_writes=off',
  // A worker for each of hundreds of databases costs more than it tidies.
  'autovacuum=off',
  // Else a statement is planned anew the first five times it is run on each connection, and few are run more often.
  'plan_cache_mode=force_generic_plan',
];

function stopServer(server: ChildProcess): Promise<void> {
  return stopBound(server, stopTimeoutMs, 'SIGQUIT');
}

/**
 * How the server process names its own data folder. When root starts it as somebody else, the folders above may be closed to
 * that user, so an absolute path fails; but it is started inside the folder, and Linux lets a process reach its own.
 */
function seenFromInside(folder: string, user: ServerUser | undefined): string {
  return user && existsSync('/proc/self/cwd') ? '/proc/self/cwd' : folder;
}
