import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startBound, stopBound } from '../../tools/bound-process.js';
import { freePort } from '../../tools/free-port.js';
import { findProgram } from '../../tools/test-services.js';
import { waitFor } from './wait-for.js';

/** Three masters without replicas, each with a third of the slots. */
export interface RedisCluster {
  readonly url: string;
  /** The keys on each node. */
  keysByNode(): Promise<string[][]>;
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const NODES = 3;
const STOP_TIMEOUT_MS = 10_000;

/** Starts one on free ports, in a folder of its own. Needs redis-server. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const program = findProgram(['redis-server']) ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'oncepay-redis-cluster-'));
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => {
      const [port, bus] = [await freePort(), await freePort()];
      const settings = {
        port,
        bind: '127.0.0.1',
        dir: folder,
        save: '',
        'cluster-enabled': 'yes',
        'cluster-port': bus,
        'cluster-config-file': `node-${index}.conf`,
        'maxmemory-policy': 'noeviction',
      };
      const command = [program, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])];
      const server = startBound(command, { cwd: folder, output: openSync(join(folder, `node-${index}.log`), 'w') });
      const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
      client.on('error', () => undefined);
      return { port, bus, server, client };
    }),
  );
  for (const [index, { client }] of nodes.entries()) {
    const [from, to] = [Math.ceil((index * SLOTS) / NODES), Math.ceil(((index + 1) * SLOTS) / NODES) - 1];
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    for (const other of nodes) await client.call('CLUSTER', 'MEET', '127.0.0.1', other.port, other.bus);
  }
  await waitFor('every node to know the whole cluster', async () => {
    const infos = await Promise.all(nodes.map(async ({ client }) => String(await client.call('CLUSTER', 'INFO'))));
    return infos.every((info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`));
  });
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    keysByNode: () => Promise.all(nodes.map(({ client }) => client.keys('*'))),
    stop: async () => {
      for (const { client } of nodes) client.disconnect();
      await Promise.all(nodes.map(({ server }) => stopBound(server, STOP_TIMEOUT_MS, 'SIGKILL')));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
