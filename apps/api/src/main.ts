import { ConfigError, loadConfig } from '#libs/config';
import { prepareStorage } from '#libs/jobs';
import { armFailpoint } from '#libs/primitives';
import { createLogger } from '#libs/telemetry';
import { startApi } from './api.js';

try {
  const config = loadConfig();
  const logger = createLogger('api', config.logLevel);
  if (config.development.failpoint !== null) armFailpoint(config.development.failpoint);
  const applied = await prepareStorage(config);
  const api = await startApi(config, logger);
  logger.info({ url: api.url, migrations: applied.length }, 'the API listens');

  const stop = (signal: NodeJS.Signals): void => {
    // A second signal means now.
    process.once(signal, () => process.exit(1));
    logger.info({ signal }, 'the API stops');
    api.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'the API did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `The API could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`}\n`,
  );
  process.exit(1);
}
