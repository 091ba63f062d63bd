import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A server process that holds a data folder. */
export interface RunningServer {
  pid: number;
  port: number;
  isReady: boolean;
  /** The process that started it and would stop it is still there. */
  hasLauncher: boolean;
}

/**
 * Reads who holds `dataDir` from the server's own files: `postmaster.pid` (line 1 pid, line 4 port, line 8 state) and
 * `postmaster.opts` (its command line, in which the launcher noted its own pid).
 *
 * A pid file whose number now belongs to an unrelated process (usual after a container restart, where small pids repeat) is
 * removed: PostgreSQL would refuse to start over it. A pid file of a dead process is left to PostgreSQL, which also waits for
 * the shared memory that it names.
 */
export function findRunningServer(dataDir: string): RunningServer | undefined {
  const pidFile = join(dataDir, 'postmaster.pid');
  const lines = readIfThere(pidFile)?.split('\n');
  const pid = Number(lines?.[0]);
  if (lines === undefined || !Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  if (!isServerOf(pid, dataDir)) {
    rmSync(pidFile, { force: true });
    return undefined;
  }
  const launcher = Number(/oncepay\.launcher=(\d+)/.exec(readIfThere(join(dataDir, 'postmaster.opts')) ?? '')?.[1]);
  return { pid, port: Number(lines[3]), isReady: lines[7]?.trim() === 'ready', hasLauncher: launcher > 0 && isAlive(launcher) };
}

// Somebody else's process counts too.
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// A server stays in its data folder for life. Where /proc is missing (macOS) the program's name has to do.
function isServerOf(pid: number, dataDir: string): boolean {
  try {
    if (existsSync('/proc/self/cwd')) return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
    return execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .endsWith('postgres');
  } catch (error) {
    // Another user's process hides its folder from us; it may well be a server.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
