import { setTimeout as sleep } from 'node:timers/promises';
import { type Chance } from './chance.js';
import { type Fleet } from './fleet.js';
import { type Member } from './member.js';
import { type TakeoverWatch } from './takeover-watch.js';

/** What a fault acts on. */
export interface Scene {
  readonly fleet: Fleet;
  readonly chance: Chance;
  readonly takeovers: TakeoverWatch;
  /** What is disturbed at the moment. */
  readonly busy: Set<string>;
}

/** One way to disturb the installation. It has mended what it broke when it resolves; a process it started is ready. */
export interface Fault {
  readonly name: string;
  readonly weight: number;
  /** Two faults on one thing never happen at once. */
  readonly on: (scene: Scene) => string;
  readonly isPossible?: (scene: Scene) => boolean;
  readonly strike: (scene: Scene, on: string) => Promise<void>;
}

/** The lease of an operation is 3 s: a worker that sleeps longer has lost what it held. */
const PAST_THE_LEASE_MS = [4_000, 6_500] as const;

const anApi = ({ fleet, chance }: Scene): string => chance.pick(fleet.apis).name;
const aWorker = ({ fleet, chance }: Scene): string => chance.pick(fleet.workers).name;
const postgres = (): string => 'postgres';
const redis = (): string => 'redis';
const simulator = (): string => 'simulator';
const hasRedis = ({ fleet }: Scene): boolean => fleet.redis !== null;

/** Kills, freezes and restarts of everything that runs. */
export const PROCESS_FAULTS: readonly Fault[] = [
  { name: 'API killed', weight: 10, on: anApi, strike: (scene, on) => killed(scene, on) },
  { name: 'API stopped and started', weight: 5, on: anApi, strike: (scene, on) => restarted(scene, on) },
  { name: 'API frozen', weight: 4, on: anApi, strike: (scene, on) => frozen(scene, on, [500, 4_000]) },
  { name: 'worker killed', weight: 14, on: aWorker, strike: workerKilled },
  { name: 'worker stopped and started', weight: 6, on: aWorker, strike: (scene, on) => restarted(scene, on) },
  { name: 'worker frozen past its leases', weight: 8, on: aWorker, strike: (scene, on) => frozen(scene, on, PAST_THE_LEASE_MS) },
  { name: 'simulator killed', weight: 4, on: simulator, strike: (scene, on) => killed(scene, on) },
  { name: 'simulator stopped and started', weight: 2, on: simulator, strike: (scene, on) => restarted(scene, on) },
  { name: 'simulator frozen', weight: 2, on: simulator, strike: (scene, on) => frozen(scene, on, [500, 3_000]) },
  { name: 'PostgreSQL crashed (immediate)', weight: 4, on: postgres, strike: crashPostgres },
  { name: 'PostgreSQL restarted (fast)', weight: 3, on: postgres, strike: restartPostgres },
  { name: 'PostgreSQL backend killed', weight: 3, on: postgres, strike: killBackend },
  { name: 'all PostgreSQL connections cut', weight: 5, on: postgres, strike: ({ fleet }) => fleet.postgres.terminateBackends() },
  { name: 'PostgreSQL frozen', weight: 3, on: postgres, strike: freezePostgres },
  { name: 'queue wiped', weight: 4, on: postgres, isPossible: (scene) => !hasRedis(scene), strike: wipeQueue },
  { name: 'Redis killed', weight: 6, on: redis, isPossible: hasRedis, strike: (scene) => killRedis(scene, false) },
  { name: 'Redis killed, started empty', weight: 4, on: redis, isPossible: hasRedis, strike: (scene) => killRedis(scene, true) },
  { name: 'Redis stopped and started', weight: 3, on: redis, isPossible: hasRedis, strike: restartRedis },
  { name: 'Redis frozen', weight: 3, on: redis, isPossible: hasRedis, strike: freezeRedis },
  { name: 'Redis flushed', weight: 6, on: redis, isPossible: hasRedis, strike: flushRedis },
];

function memberOf({ fleet }: Scene, name: string): Member {
  const member = fleet.members().find((each) => each.name === name);
  if (member === undefined) throw new Error(`bug: there is no ${name}`);
  return member;
}

async function killed(scene: Scene, on: string): Promise<void> {
  const member = memberOf(scene, on);
  await member.kill();
  await sleep(scene.chance.between(50, 1_200));
  await member.start();
}

/** It starts again only after its operations were taken over, half of the time: else a start could help. */
async function workerKilled(scene: Scene, on: string): Promise<void> {
  const member = memberOf(scene, on);
  await member.kill();
  const watched = scene.takeovers.watch();
  await sleep(scene.chance.happens(0.5) ? scene.chance.between(50, 800) : 5_000);
  await member.start();
  await watched;
}

async function restarted(scene: Scene, on: string): Promise<void> {
  const member = memberOf(scene, on);
  await member.stop();
  await member.start();
}

async function frozen(scene: Scene, on: string, [least, most]: readonly [number, number]): Promise<void> {
  const member = memberOf(scene, on);
  member.freeze();
  await sleep(scene.chance.between(least, most));
  member.thaw();
}

async function crashPostgres({ fleet, chance }: Scene): Promise<void> {
  await fleet.postgres.crash();
  await sleep(chance.between(0, 1_500));
  await fleet.postgres.start();
}

async function restartPostgres({ fleet }: Scene): Promise<void> {
  await fleet.postgres.stop();
  await fleet.postgres.start();
}

async function freezePostgres({ fleet, chance }: Scene): Promise<void> {
  await fleet.postgres.freeze();
  await sleep(chance.between(500, 4_000));
  fleet.postgres.thaw();
}

async function killBackend({ fleet, chance }: Scene): Promise<void> {
  await fleet.postgres.killBackend(chance.next());
}

async function wipeQueue({ fleet }: Scene): Promise<void> {
  await fleet.postgres.query('TRUNCATE bullmq.job CASCADE');
}

async function killRedis({ fleet, chance }: Scene, forgets: boolean): Promise<void> {
  await fleet.redis?.kill();
  if (forgets) fleet.redis?.forget();
  await sleep(chance.between(0, 1_500));
  await fleet.redis?.start();
}

async function restartRedis({ fleet }: Scene): Promise<void> {
  await fleet.redis?.stop();
  await fleet.redis?.start();
}

async function freezeRedis({ fleet, chance }: Scene): Promise<void> {
  fleet.redis?.freeze();
  await sleep(chance.between(500, 4_000));
  fleet.redis?.thaw();
}

async function flushRedis({ fleet }: Scene): Promise<void> {
  await fleet.redis?.command('FLUSHALL');
}
