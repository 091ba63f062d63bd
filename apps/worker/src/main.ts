import { ConfigError, loadConfig } from '#libs/config';
import { prepareStorage } from '#libs/jobs';
import { armFailpoint } from '#libs/primitives';
import { createLogger } from '#libs/telemetry';
import { startWorker } from './worker.js';

try {
  const config = loadConfig();
  const logger = createLogger('worker', config.logLevel);
  if (config.development.failpoint !== null) armFailpoint(config.development.failpoint);
  await prepareStorage(config);
  const worker = await startWorker(config, logger);
  logger.info({ queue: config.redisUrl === null ? 'postgresql' : 'redis' }, 'the worker works');

  const stop = (signal: NodeJS.Signals): void => {
    // A second signal means now.
    process.once(signal, () => process.exit(1));
    logger.info({ signal }, 'the worker stops');
    worker.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'the worker did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `The worker could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`}\n`,
  );
  process.exit(1);
}
