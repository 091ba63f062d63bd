import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '#libs/config';
import { claimDataFolder, type DataFolder } from './data-folder.js';
import { type DemoStage, runDemo } from './demo-order.js';
import { InterruptedError, onInterruption } from './interruption.js';
import { Launch } from './launch.js';
import { makePlan, type Plan } from './plan.js';
import { reasonOf, StartError } from './start-error.js';
import { writeShopPrices } from './shop-prices.js';
import { showSummary, shown } from './summary.js';
import { say, styled } from './terminal.js';

interface Options {
  readonly once: boolean;
  readonly dataDir: string;
}

const ROOT = resolve(import.meta.dirname, '../../..');
const HELP = `npm start                          PostgreSQL, a Stripe simulator, API and worker; a demo order; runs until Ctrl-C
npm start -- --once                the same, then stops; exits 0 only if Stripe's side and ours agree on the demo order
npm start -- --data-dir <folder>   keeps database, keys and logs there instead of in .oncepay

Settings come from the environment, then from an .env file here; .env.example explains them.`;

/** npm start. Resolves with the exit code when everything it started has stopped. */
export async function start(args: readonly string[]): Promise<number> {
  const ending = new AbortController();
  const launch = new Launch(ending);
  onInterruption(
    () => ending.abort(new InterruptedError()),
    () => {
      launch.killAll();
      process.exit(130);
    },
  );
  let folder: DataFolder | null = null;
  try {
    const options = readOptions(args);
    if (options === null) return 0;
    if (existsSync('.env')) process.loadEnvFile('.env');
    folder = await claimDataFolder(options.dataDir);
    const plan = await makePlan(process.env, folder);
    if (options.once && plan.stripe === 'live') throw new StartError('--once places an order and pays it: not with a LIVE Stripe key.');
    return await run(launch, { plan, folder, once: options.once, signal: ending.signal });
  } catch (error) {
    return explain(error);
  } finally {
    await launch.stopAll();
    folder?.release();
  }
}

interface Run {
  readonly plan: Plan;
  readonly folder: DataFolder;
  readonly once: boolean;
  readonly signal: AbortSignal;
}

async function run(launch: Launch, { plan, folder, once, signal }: Run): Promise<number> {
  say(styled('dim', introduction(plan)), '');
  for (const remark of plan.remarks) say(`  ${styled('yellow', remark)}`);
  await launch.startAll(plan, folder);
  const stripe = { url: plan.config.stripe.apiBase ?? 'https://api.stripe.com', secretKey: plan.config.stripe.secretKey, signal };
  const stage = { apiUrl: plan.apiUrl, secretKey: plan.config.development.secretKeys[0] ?? '', stripe, signal };
  const isAgreed = plan.stripe === 'live' || (await demonstrate(stage, once));
  if (once) return isAgreed ? 0 : 1;
  if (plan.stripe !== 'live') await writeShopPrices(stage);
  showSummary(plan, folder);
  const reason = await aborted(signal);
  if (!(reason instanceof InterruptedError)) throw reason;
  say('', `stopping; ${shown(folder.path)} keeps everything for the next start`);
  return 0;
}

/** An order that is not paid in time ends `--once`; a developer goes on looking at what runs. */
async function demonstrate(stage: DemoStage, once: boolean): Promise<boolean> {
  try {
    return await runDemo(stage);
  } catch (error) {
    if (once || !(error instanceof StartError)) throw error;
    say('', `  ${styled('yellow', error.message)} The logs of API and worker may say why.`);
    return false;
  }
}

function introduction({ stripe, config }: Plan): string {
  const { apiBase } = config.stripe;
  if (stripe !== 'simulator' && apiBase !== null) return `Stripe is what answers at ${apiBase}.`;
  switch (stripe) {
    case 'simulator':
      return 'No Stripe account, no Docker, nothing leaves this machine.';
    case 'test':
      return "With your Stripe test key: orders appear in your account's test mode.";
    case 'live':
      return 'With your LIVE Stripe key: orders move real money.';
  }
}

/** null: the reader asked for help and got it. */
function readOptions(args: readonly string[]): Options | null {
  try {
    const options = { once: { type: 'boolean' }, 'data-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    if (values.help === true) {
      say(HELP);
      return null;
    }
    return { once: values.once === true, dataDir: resolve(values['data-dir'] ?? resolve(ROOT, '.oncepay')) };
  } catch (error) {
    throw new StartError(`${reasonOf(error)}\n\n${HELP}`, { cause: error });
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((end) => {
    if (signal.aborted) end(signal.reason);
    signal.addEventListener('abort', () => end(signal.reason), { once: true });
  });
}

function explain(error: unknown): number {
  // As a shell reports a program that Ctrl-C ended before it was ready.
  if (error instanceof InterruptedError) return 130;
  const isExpected = error instanceof StartError || error instanceof ConfigError;
  const text = isExpected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`\n${styled('red', text)}\n`);
  return 1;
}
