import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { waitFor } from '../support/wait-for.js';

/** An `npm start` of a newcomer: nothing in its environment but PATH and HOME. */
export interface Launcher {
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Waits until the output has this, and returns its first group (or the match). */
  printed(pattern: RegExp): Promise<string>;
  /** Resolves with the exit code; null after a signal. */
  ended(): Promise<number | null>;
  /** Processes that are there because of this start, each with its pid and command line. Needs /proc. */
  processes(): string[];
}

const ROOT = resolve(import.meta.dirname, '../../..');
/** A start takes three seconds on a quiet machine; test runs are not quiet. */
const PATIENCE_MS = 60_000;

/** Starts the launcher with its data in `folder`, in a process group of its own as a terminal does. */
export function launch(folder: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Launcher {
  const mark = crypto.randomUUID();
  const child = spawn(process.execPath, [join(ROOT, 'tools/start.mjs'), '--data-dir', folder, ...args], {
    // Without an .env of the developer's.
    cwd: resolve(folder, '..'),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], START_SPEC_MARK: mark, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const closed = once(child, 'close');
  return {
    child,
    output: () => text,
    printed: (pattern) =>
      waitFor(
        `the launcher to print ${pattern}`,
        () => {
          const match = pattern.exec(text);
          if (match === null && child.exitCode !== null) throw new Error(`it ended: ${text}`);
          if (match === null) throw new Error(text);
          return match[1] ?? match[0];
        },
        PATIENCE_MS,
      ),
    ended: async () => {
      await closed;
      return child.exitCode;
    },
    processes: () => processesOf(mark, folder),
  };
}

/** By the mark that every process inherits; PostgreSQL, which overwrites its environment, by the folder it lives in. */
function processesOf(mark: string, folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark) || readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
        return isOurs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`] : [];
      } catch {
        // Gone meanwhile, or another user's.
        return [];
      }
    });
}
