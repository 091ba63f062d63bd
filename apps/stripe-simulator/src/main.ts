import { readSettings } from './settings.js';
import { startSimulator } from './simulator.js';

void main();

async function main(): Promise<void> {
  try {
    const settings = readSettings();
    const simulator = await startSimulator(settings);
    console.log(`Stripe simulator listening on ${simulator.url} (controls: ${simulator.url}/_sim)`);
    const stop = (): void => void simulator.close().then(() => process.exit(0));
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  } catch (error) {
    console.error(explained(error));
    process.exitCode = 1;
  }
}

function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const taken = 'code' in error && error.code === 'EADDRINUSE';
  return taken
    ? `The simulator cannot start: its port is taken (${error.message}). Set SIMULATOR_PORT to another one.`
    : (error.stack ?? error.message);
}
