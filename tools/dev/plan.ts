import { type Config, loadConfig } from '#libs/config';
import { freePort } from '../free-port.js';
import { type DataFolder } from './data-folder.js';
import { keptSecrets } from './kept-secrets.js';
import { choosePort } from './ports.js';
import { StartError } from './start-error.js';

/** Everything that is decided before anything starts. */
export interface Plan {
  /** Who plays Stripe: the simulator we start, or what the reader's settings name, in the mode of that key. */
  readonly stripe: 'simulator' | 'test' | 'live';
  /** What our processes are told. */
  readonly env: NodeJS.ProcessEnv;
  /** The same, parsed. Its `database` counts only when the reader names one. */
  readonly config: Config;
  readonly isDatabaseGiven: boolean;
  readonly apiUrl: string;
  /** Where the worker answers for its health: an ADMIN_PORT of its own, as the reader's is the API's. */
  readonly workerPort: number;
  /** null unless we start it. */
  readonly simulatorUrl: string | null;
  /** What was decided otherwise than the reader may expect. */
  readonly remarks: readonly string[];
}

const API_PORT = 3_000;
const SIMULATOR_PORT = 12_111;
/** Stands in for the bundled PostgreSQL, which finds its port when it starts, so that everything else is checked before. */
const NO_DATABASE_YET = 'postgresql://postgres@127.0.0.1/oncepay';

/** Decides who plays Stripe, on which ports, with which keys. What `environment` sets is respected. Throws ConfigError and StartError. */
export async function makePlan(environment: NodeJS.ProcessEnv, folder: DataFolder): Promise<Plan> {
  const given = withoutBlanks(environment);
  if (given['NODE_ENV'] === 'production') {
    throw new StartError('npm start is for development. In production: npm run migrate, then npm run start:api and npm run start:worker.');
  }
  const asked = parsed(given);
  const isSimulated = given['STRIPE_SECRET_KEY'] === undefined && given['STRIPE_API_BASE'] === undefined;
  const api = await choosePort({ name: 'PORT', given: given['PORT'], usual: API_PORT });
  const simulator = isSimulated
    ? await choosePort({ name: 'SIMULATOR_PORT', given: given['SIMULATOR_PORT'], usual: SIMULATOR_PORT })
    : null;
  const secrets = keptSecrets(folder.file('keys.json'));
  const webhookSecret = given['SIMULATOR_WEBHOOK_SECRET'] ?? asked.stripe.webhookSecrets[0] ?? secrets.webhookSecret;
  const simulatorUrl = simulator && `http://localhost:${simulator.port}`;
  const env: NodeJS.ProcessEnv = {
    NODE_ENV: 'development',
    ONCEPAY_DEV_SECRET_KEY: secrets.secretKey,
    ONCEPAY_DEV_PUBLISHABLE_KEY: secrets.publishableKey,
    ...(simulator && {
      SIMULATOR_STATE_FILE: folder.file('simulator.jsonl'),
      SIMULATOR_WEBHOOK_URL: `http://127.0.0.1:${api.port}/webhooks/stripe`,
      SIMULATOR_WEBHOOK_SECRET: webhookSecret,
      STRIPE_WEBHOOK_SECRETS: webhookSecret,
      ONCEPAY_CLOCK_URL: `http://127.0.0.1:${simulator.port}/_sim/clock`,
    }),
    ...given,
    PORT: String(api.port),
    ...(simulator && { SIMULATOR_PORT: String(simulator.port) }),
  };
  const remarks: string[] = [];
  if (api.moved) remarks.push(`Port ${API_PORT} is taken: the API listens on ${api.port}.`);
  if (simulator?.moved) remarks.push(`Port ${SIMULATOR_PORT} is taken: the Stripe simulator listens on ${simulator.port}.`);
  return {
    stripe: isSimulated ? 'simulator' : asked.stripe.mode,
    env,
    config: parsed(env),
    isDatabaseGiven: given['DATABASE_URL'] !== undefined,
    apiUrl: `http://localhost:${api.port}`,
    workerPort: await freePort(),
    simulatorUrl,
    remarks,
  };
}

/** A line such as `PORT=` in an .env file sets nothing. */
function withoutBlanks(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
}

function parsed(env: NodeJS.ProcessEnv): Config {
  return loadConfig({ DATABASE_URL: NO_DATABASE_YET, ...env });
}
