/** What the simulator is started with. */
export interface SimulatorSettings {
  host: string;
  port: number;
  stateFile: string | undefined;
  webhookUrl: string | undefined;
  webhookSecret: string | undefined;
}

/** Stripe's own stand-ins listen there by custom. */
const DEFAULT_PORT = 12_111;

/** Reads the environment. Throws one error that lists everything wrong with it. */
export function readSettings(env: NodeJS.ProcessEnv = process.env): SimulatorSettings {
  const problems: string[] = [];
  const port = Number(given(env['SIMULATOR_PORT']) ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    problems.push(`SIMULATOR_PORT must be a port number, not "${env['SIMULATOR_PORT']}"`);
  const webhookUrl = given(env['SIMULATOR_WEBHOOK_URL']);
  const webhookSecret = given(env['SIMULATOR_WEBHOOK_SECRET']);
  if (webhookUrl !== undefined && !isHttpUrl(webhookUrl))
    problems.push(`SIMULATOR_WEBHOOK_URL must be an http or https URL, not "${webhookUrl}"`);
  if (webhookUrl !== undefined && webhookSecret === undefined)
    problems.push('SIMULATOR_WEBHOOK_SECRET must be set when SIMULATOR_WEBHOOK_URL is');
  if (problems.length > 0) throw new Error(`The simulator cannot start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  return {
    host: given(env['SIMULATOR_HOST']) ?? '127.0.0.1',
    port,
    stateFile: given(env['SIMULATOR_STATE_FILE']),
    webhookUrl,
    webhookSecret,
  };
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
