import { accessSync, constants, mkdirSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded, startBound, stopBound } from './bound-process.js';
import { freePort } from './free-port.js';

export interface PrivateRedis {
  url: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;
const stopTimeoutMs = 10_000;

/** Starts a Redis of our own on a free port, set up the way a job queue needs it; undefined where no redis-server is installed. */
export async function startRedis(folder: string): Promise<PrivateRedis | undefined> {
  const program = findProgram(['redis-server']);
  if (program === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const settings = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    folder,
    '--databases',
    '1000',
    '--appendonly',
    'yes',
    '--maxmemory-policy',
    'noeviction',
    '--save',
    '',
  ];
  const server = startBound([program, ...settings], { cwd: folder, output: openSync(join(folder, 'server.log'), 'w') });

  for (const deadline = Date.now() + startTimeoutMs; !(await answers(port)); await delay(20)) {
    if (!hasEnded(server) && Date.now() < deadline) continue;
    await stopBound(server, stopTimeoutMs, 'SIGKILL');
    throw new Error(`redis-server did not start; see ${join(folder, 'server.log')}`);
  }
  return { url: `redis://127.0.0.1:${port}/0`, stop: () => stopBound(server, stopTimeoutMs, 'SIGKILL') };
}

/** The path of the first of these programs that is installed. */
export function findProgram(names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of names) {
    const path = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (path !== undefined) return path;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (reply) => {
      socket.destroy();
      resolve(reply.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}
