import { once } from 'node:events';
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join, relative } from 'node:path';
import { reasonOf, StartError } from './start-error.js';

/** A data folder that is ours until `release`. */
export interface DataFolder {
  readonly path: string;
  file(name: string): string;
  release(): void;
}

const OURS_ALONE = 0o700;

/**
 * Makes the folder when it is missing and takes it for this process: two launchers would write the simulator's state over each
 * other. The claim is a listening socket, which ends with its process however that ends. Throws StartError when another has it.
 */
export async function claimDataFolder(path: string): Promise<DataFolder> {
  makeUsable(path);
  const file = (name: string): string => join(path, name);
  // Addresses of sockets are limited to about a hundred characters; seen from here the path is usually short.
  const address = relative(process.cwd(), file('launcher.sock'));
  let claim = await listen(address);
  if (claim === 'in use') {
    if (await isAnswered(address)) {
      throw new StartError(`Oncepay already runs on ${path}: stop it there by Ctrl-C, or keep another one apart by --data-dir <folder>.`);
    }
    // Left behind by a launcher that was killed.
    rmSync(address, { force: true });
    claim = await listen(address);
  }
  return { path, file, release: () => typeof claim === 'object' && claim.close() };
}

function makeUsable(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: OURS_ALONE });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(`${path} cannot be used by this user (${reasonOf(error)}). Delete it, or choose another by --data-dir <folder>.`);
  }
}

async function listen(address: string): Promise<Server | 'in use' | 'impossible'> {
  const server = createServer((socket) => socket.destroy()).listen(address);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    // Some shared folders of virtual machines hold no sockets: there, nothing guards the folder.
    return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' ? 'in use' : 'impossible';
  }
}

async function isAnswered(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
