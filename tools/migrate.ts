// npm run migrate: brings a database to this version, for a deployment in which API and worker do not do it themselves.
import { ConfigError, loadConfig } from '#libs/config';
import { prepareStorage } from '#libs/jobs';
import { reasonOf } from './dev/start-error.js';

// Nothing but the database matters here, so nothing else has to be set.
const { DATABASE_URL, DATABASE_DIRECT_URL, REDIS_URL } = process.env;

try {
  if (!DATABASE_URL) throw new ConfigError(['DATABASE_URL must be set to the database to migrate']);
  const config = loadConfig({ DATABASE_URL, DATABASE_DIRECT_URL, REDIS_URL });
  const applied = await prepareStorage({ ...config, migrateOnStart: true });
  console.log(applied.length === 0 ? 'The database is up to date.' : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`);
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : `The database could not be migrated: ${reasonOf(error)}`);
  process.exitCode = 1;
}
