import { ConfigError, loadConfig } from '#libs/config';
import { prepareStorage } from '#libs/jobs';
import { armFailpoint } from '#libs/primitives';
import { createLogger, stopOnSignal } from '#libs/telemetry';
import { startWorker } from './worker.js';

void main();

async function main(): Promise<void> {
  try {
    const config = loadConfig();
    const logger = createLogger('worker', config.logLevel);
    if (config.development.failpoint !== null) armFailpoint(config.development.failpoint);
    await prepareStorage(config);
    const worker = await startWorker(config, logger);
    stopOnSignal(logger, { close: () => worker.close(), timeoutMs: config.shutdown.timeoutMs });
    worker.refused.catch(refuse);
    logger.info({ queue: config.redisUrl === null ? 'postgresql' : 'redis' }, 'the worker works');
  } catch (error) {
    refuse(error);
  }
}

function refuse(error: unknown): never {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `The worker could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`}\n`,
  );
  process.exit(1);
}
