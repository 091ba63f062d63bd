import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

const [LOGGER, LOG_WARNINGS] = ['./logger.js', './log-warnings.js'].map((path) => JSON.stringify(new URL(path, import.meta.url).href));

it('what Node and packages warn of is a log line, with where it comes from and without secrets, and nothing beside the log', async () => {
  const program = `
    import { deprecate } from 'node:util'; import { createLogger } from ${LOGGER}; import { logWarnings } from ${LOG_WARNINGS};
    logWarnings(createLogger('spec', 'info'));
    const old = deprecate(() => {}, 'old is deprecated', 'DEP0');
    old(); old();
    process.emitWarning('sk_test_canary was used');`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
    .map(Object);
  assert.deepEqual(
    lines.map(({ level, msg, error }) => [level, msg, error.name, error.message]),
    [
      ['warn', 'Node warned', 'DeprecationWarning', 'old is deprecated'],
      ['warn', 'Node warned', 'Warning', '[redacted] was used'],
    ],
  );
  assert.match(lines[0].error.stack, /^DeprecationWarning: old is deprecated\n +at /);
  assert.equal(stderr, '');
});
