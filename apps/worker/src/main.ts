import { type Config, ConfigError, loadConfig } from '#libs/config';
import { prepareStorage } from '#libs/jobs';
import { armFailpoint } from '#libs/primitives';
import { createLogger, type Logger, logWarnings, stopOnSignal } from '#libs/telemetry';
import { type RunningWorker, startWorker } from './worker.js';

void main();

async function main(): Promise<void> {
  try {
    const config = loadConfig();
    const logger = createLogger('worker', config.logLevel);
    logWarnings(logger);
    if (config.development.failpoint !== null) armFailpoint(config.development.failpoint);
    const starting = start(config, logger);
    stopOnSignal(logger, { close: async () => (await starting).close(), timeoutMs: config.shutdown.timeoutMs });
    (await starting).refused.catch(refuse);
  } catch (error) {
    refuse(error);
  }
}

async function start(config: Config, logger: Logger): Promise<RunningWorker> {
  await prepareStorage(config);
  const worker = await startWorker(config, logger);
  logger.info({ queue: config.redisUrl === null ? 'postgresql' : 'redis' }, 'the worker works');
  return worker;
}

function refuse(error: unknown): never {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `The worker could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`}\n`,
  );
  process.exit(1);
}
