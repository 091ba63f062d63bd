import { type Config, ConfigError, loadConfig } from '#libs/config';
import { prepareStorage } from '#libs/jobs';
import { armFailpoint } from '#libs/primitives';
import { createLogger, type Logger, logWarnings, stopOnSignal } from '#libs/telemetry';
import { type RunningApi, startApi } from './api.js';

void main();

async function main(): Promise<void> {
  try {
    const config = loadConfig();
    const logger = createLogger('api', config.logLevel);
    logWarnings(logger);
    if (config.development.failpoint !== null) armFailpoint(config.development.failpoint);
    const starting = start(config, logger);
    stopOnSignal(logger, { close: async () => (await starting).close(), timeoutMs: config.shutdown.timeoutMs });
    await starting;
  } catch (error) {
    process.stderr.write(
      `${error instanceof ConfigError ? error.message : `The API could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`}\n`,
    );
    process.exit(1);
  }
}

async function start(config: Config, logger: Logger): Promise<RunningApi> {
  const applied = await prepareStorage(config);
  const api = await startApi(config, logger);
  logger.info({ url: api.url, migrations: applied.length }, 'the API listens');
  return api;
}
