/** What happens at once is seen at once. What takes longer is looked at less often: looks cost those who are waited for their processor time. */
const LOOKS_MS = { first: 10, growth: 1.5, last: 250 };

/** Of a test that fails; one that passes never waits for long. A machine that does other things too may take ten times as long as usual. */
const PATIENCE_MS = 60_000;

/**
 * Waits until `look` gives something other than null, undefined or false, and returns it. Fails after `timeoutMs`, saying what was
 * waited for and what was seen last.
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  let pauseMs = LOOKS_MS.first;
  while (performance.now() < deadline) {
    try {
      const seen = await look();
      if (seen !== null && seen !== undefined && seen !== false) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * LOOKS_MS.growth, LOOKS_MS.last);
  }
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}
