/** How often a line is printed where lines cannot be overwritten. */
const LINE_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 1_000;

/** Shows `line()` while something long runs: a line that changes, or on a pipe one every few seconds. Returns what ends it. */
export function showProgress(line: () => string): () => void {
  const isTerminal = process.stdout.isTTY === true;
  const show = (): void => {
    if (isTerminal) process.stdout.write(`\r\x1b[K${line()}`);
    else process.stdout.write(`${line()}\n`);
  };
  show();
  const timer = setInterval(show, isTerminal ? LOOK_EVERY_MS : LINE_EVERY_MS);
  return () => {
    clearInterval(timer);
    if (isTerminal) process.stdout.write('\r\x1b[K');
  };
}
