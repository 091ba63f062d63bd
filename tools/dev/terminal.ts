import { styleText } from 'node:util';

const out = process.stdout;
/** Overwriting a line and colours are for people; a file or a pipe gets plain lines. `hasColors` knows NO_COLOR. */
const isTerminal = out.isTTY;
const hasColors = isTerminal && out.hasColors();

// Nobody reads any more (a closed terminal, `| head`): that is no reason to fail.
out.on('error', () => undefined);

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** The text in a style where the terminal has styles. */
export function styled(style: Style, text: string): string {
  return hasColors ? styleText(style, text) : text;
}

/** Prints lines. */
export function say(...lines: string[]): void {
  out.write(`${lines.join('\n')}\n`);
}

/** A piece of work under way and how long it took, so that steps that run at the same time can be shown one after the other. */
export type Timed<T> = Promise<{ readonly value: T; readonly elapsedMs: number }>;

/** Starts to measure. A failure is kept until somebody awaits it. */
export function timed<T>(work: Promise<T>): Timed<T> {
  const startedAt = performance.now();
  const measured = work.then((value) => ({ value, elapsedMs: performance.now() - startedAt }));
  measured.catch(() => undefined);
  return measured;
}

/** Shows a step while it runs, then with its time and a note on its result. Throws what the step throws, after saying so. */
export async function step<T>(label: string, work: Timed<T>, note: (value: T) => string): Promise<T> {
  if (isTerminal) out.write(`  ..  ${label}`);
  try {
    const { value, elapsedMs } = await work;
    endStep('ok', 'green', `${label.padEnd(30)}${seconds(elapsedMs).padStart(8)}   ${styled('dim', note(value))}`);
    return value;
  } catch (error) {
    endStep('--', 'red', label);
    throw error;
  }
}

/** `2.6 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function endStep(mark: string, style: Style, text: string): void {
  const erase = isTerminal ? '\r\u001B[2K' : '';
  out.write(`${erase}  ${styled(style, mark)}  ${text.trimEnd()}\n`);
}
