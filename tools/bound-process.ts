import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { ServerUser } from './postgres-binaries.js';

export interface BoundProcessOptions {
  cwd: string;
  /** Where its output goes: a file descriptor, or nowhere. A pipe would block the process whenever we are busy. */
  output: number | 'ignore';
  user?: ServerUser | undefined;
  /** Its environment; ours by default. */
  env?: NodeJS.ProcessEnv;
}

// Standard input is a pipe that only the launcher holds open. It closes when the launcher says so or ends, however it ends; the
// watcher then interrupts the program. The watcher is started through a subshell that ends at once: a server such as PostgreSQL
// must not have a child it did not make.
const interruptWithLauncher = `
exec 3<&0
( { cat >/dev/null; kill -INT $$; } <&3 2>/dev/null & )
exec "$@" </dev/null 3<&-`;

/**
 * Starts a server program that gets SIGINT when this process ends in any way, SIGKILL included, and not before: it has a session of
 * its own, so the terminal's Ctrl-C does not reach it. It does not keep this process alive.
 */
export function startBound(command: string[], { cwd, output, user, env = process.env }: BoundProcessOptions): ChildProcess {
  const options: SpawnOptions = { cwd, detached: true, env: { ...env, LC_ALL: 'C' }, stdio: ['pipe', output, output], ...user };
  const child = spawn('/bin/sh', ['-c', interruptWithLauncher, 'sh', ...command], options);
  child.on('exit', () => child.stdin?.destroy());
  child.unref();
  return child;
}

/** Interrupts the program and resolves when it has ended; past the timeout it is killed. Safe to repeat. */
export async function stopBound(child: ChildProcess, timeoutMs: number, lastSignal: 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return;
  child.ref();
  const exited = once(child, 'exit');
  child.stdin?.destroy();
  const impatience = setTimeout(() => child.kill(lastSignal), timeoutMs);
  await exited;
  clearTimeout(impatience);
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
