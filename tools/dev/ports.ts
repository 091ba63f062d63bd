import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '../free-port.js';
import { StartError } from './start-error.js';

interface PortWish {
  /** The environment variable. */
  readonly name: string;
  /** Its text, when the reader has set it; 0 means any. */
  readonly given: string | undefined;
  readonly usual: number;
}

export interface ChosenPort {
  readonly port: number;
  /** Somebody else has the usual one. */
  readonly moved: boolean;
}

/** Numbers that stay easy to recognise; after them, any free one. */
const NEIGHBOURS = 20;
/** Every address a browser may mean by "localhost", and the one servers listen on. */
const ADDRESSES = ['0.0.0.0', '127.0.0.1', '::1'];

/** The port to use. Throws StartError when the one that was asked for is taken; an unasked-for one makes way. */
export async function choosePort({ name, given, usual }: PortWish): Promise<ChosenPort> {
  if (given !== undefined) {
    const port = Number(given);
    if (port === 0) return { port: await anyPort(), moved: false };
    if (await isFree(port)) return { port, moved: false };
    throw new StartError(`${name}=${given} is taken: another program listens on port ${given}. Stop it, or set ${name} to another port.`);
  }
  for (let port = usual; port < usual + NEIGHBOURS; port += 1) {
    if (await isFree(port)) return { port, moved: port !== usual };
  }
  return { port: await anyPort(), moved: true };
}

/** One that is free on every address. */
async function anyPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  for (const address of ADDRESSES) {
    const probe = createServer().listen({ port, host: address, exclusive: true });
    try {
      await once(probe, 'listening');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code === 'EADDRINUSE') return false;
      if (code === 'EACCES') throw new StartError(`Port ${port} needs more rights than this user has.`);
      // No IPv6 here.
      continue;
    }
    probe.close();
    await once(probe, 'close');
  }
  return true;
}
