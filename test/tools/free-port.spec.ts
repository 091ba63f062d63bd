import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../../tools/free-port.js';

const MODULE = resolve(import.meta.dirname, '../../tools/free-port.js');
const EACH = 200;

describe('a free port', () => {
  it('is none that somebody listens on', async () => {
    const near = await freePort();
    const taken = Array.from({ length: 10 }, (_, index) => createServer().listen(near + 1 + index, '127.0.0.1'));
    try {
      // Some may be others' already, which is as good.
      await Promise.all(taken.map((server) => once(server, 'listening').catch(() => undefined)));
      const next = await freePort();
      assert.ok(next < near || next > near + taken.length, `${next} after ${near}`);
    } finally {
      for (const server of taken) server.close();
    }
  });

  it('is given to one process only, of those that live', async () => {
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', drawing()], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const drawn = await Promise.all(
      children.map(async ({ stdin, stdout }) => {
        const [line] = await once(stdout, 'data');
        return { ports: JSON.parse(String(line)) as number[], end: () => stdin.end() };
      }),
    );
    for (const { end } of drawn) end();
    await Promise.all(children.map((child) => once(child, 'exit')));
    const ports = drawn.flatMap((each) => each.ports);
    assert.equal(ports.length, children.length * EACH);
    assert.equal(new Set(ports).size, ports.length);
  });
});

/** Says which ports it was given, and lives until nobody needs it any more. */
function drawing(): string {
  return `
    import { freePort } from ${JSON.stringify(MODULE)};
    const ports = [];
    while (ports.length < ${EACH}) ports.push(await freePort());
    console.log(JSON.stringify(ports));
    process.stdin.resume();`;
}
