import { setInterval } from 'node:timers';
import { type Database } from '#libs/database';
import { effect } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { Loop } from './loop.js';
import { type ClaimedTurn, endTurn, type Progress, registerTask, renewTurn, takeTurn } from './schedule.store.js';

/** A third of the lease: two renewals may be lost before it is. */
const RENEW_EVERY_MS = 1_000;
/** A task of hours is late by half a minute at most; one of seconds by half its period. */
const LOOK_EVERY_MS_MAX = 30_000;

/** One turn of a task. */
export interface Turn extends Omit<ClaimedTurn, 'name' | 'fence'> {
  /** Whether the process stops: a long turn ends early then, by throwing, and is taken up again elsewhere. */
  readonly isStopping: () => boolean;
}

/** Something that is done every few seconds or hours by one of all worker processes. */
export interface ScheduledTask {
  /** Stored: the task is the same in all processes and releases. */
  readonly name: string;
  readonly everySeconds: number;
  readonly firstAfterSeconds: number;
  /** Does the work; safe to repeat and to run twice at once. Returns how far it came; `done` where it keeps no account. */
  readonly run: (turn: Turn) => Promise<Progress | 'done'>;
}

/** A task on its way through its turns. */
export interface Schedule {
  stop(): Promise<void>;
}

/** Runs a task at its times, in one process at a time: whoever takes its row for a turn. Any number of processes may try. */
export function startSchedule(database: Pick<Database, 'autocommit'>, logger: Logger, task: ScheduledTask): Schedule {
  let isStopping = false;
  let isKnown = false;
  const look = async (): Promise<boolean> => {
    if (!isKnown) await registerTask(database.autocommit, task.name, task.firstAfterSeconds);
    isKnown = true;
    await takeOneTurn(database, logger, task, () => isStopping);
    return false;
  };
  const loop = new Loop(Math.min(task.everySeconds * 500, LOOK_EVERY_MS_MAX), look, (error) => {
    if (isStopping) logger.info({ error, task: task.name }, 'a scheduled task ends early, as the process stops');
    else logger.warn({ error, task: task.name }, 'a scheduled task failed; its next turn tries again');
  });
  return {
    stop: async () => {
      isStopping = true;
      await loop.stop();
    },
  };
}

async function takeOneTurn(
  { autocommit }: Pick<Database, 'autocommit'>,
  logger: Logger,
  { name, everySeconds, run }: ScheduledTask,
  isStopping: () => boolean,
): Promise<void> {
  const turn = await takeTurn(autocommit, name, everySeconds);
  if (turn === null) return;
  const heartbeat = setInterval(() => {
    renewTurn(autocommit, turn).catch((error: unknown) => logger.warn({ error, task: name }, 'could not renew the lease of a task'));
  }, RENEW_EVERY_MS);
  try {
    const end = await run({ cursorAt: turn.cursorAt, lookedAt: turn.lookedAt, isStopping });
    await effect('worker.schedule.commit', () => endTurn(autocommit, turn, end));
  } catch (error) {
    // If this fails too, the lease ends by itself.
    await endTurn(autocommit, turn, null).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}
