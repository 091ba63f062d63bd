import { ConfigError, loadConfig } from '#libs/config';
import { prepareStorage } from '#libs/jobs';
import { armFailpoint } from '#libs/primitives';
import { createLogger, stopOnSignal } from '#libs/telemetry';
import { startApi } from './api.js';

void main();

async function main(): Promise<void> {
  try {
    const config = loadConfig();
    const logger = createLogger('api', config.logLevel);
    if (config.development.failpoint !== null) armFailpoint(config.development.failpoint);
    const applied = await prepareStorage(config);
    const api = await startApi(config, logger);
    stopOnSignal(logger, { close: () => api.close(), timeoutMs: config.shutdown.timeoutMs });
    logger.info({ url: api.url, migrations: applied.length }, 'the API listens');
  } catch (error) {
    process.stderr.write(
      `${error instanceof ConfigError ? error.message : `The API could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`}\n`,
    );
    process.exit(1);
  }
}
