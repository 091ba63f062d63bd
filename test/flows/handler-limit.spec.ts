import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { createLogger } from '#libs/telemetry';
import { createApi } from '../../apps/api/src/api.js';
import { PUBLIC } from '../../apps/api/src/callers/caller.guard.js';
import { configAlone } from '../support/api.js';
import { freshDatabase } from '../support/database.js';
import { call } from '../support/http-client.js';

// No worker lives beside it: timers that others set while time is held would never come.
it('a request that is never done is answered after 40 seconds, longer than anybody may wait', async (t) => {
  const database = await freshDatabase();
  const { app, close } = await createApi(configAlone(database.url), createLogger('test', 'silent'));
  t.after(async () => {
    await close();
    await database.drop();
  });
  const begun = new EventEmitter();
  const never = (): Promise<never> => new Promise(() => void begun.emit('handler'));
  app
    .getHttpAdapter()
    .getInstance()
    .get('/never', { config: { policy: PUBLIC } }, never);
  await app.listen(0, '127.0.0.1');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const isReached = once(begun, 'handler');
  const asked = get(`${await app.getUrl()}/never`);
  const answered = once(asked, 'response');
  await isReached;
  t.mock.timers.tick(39_999);
  // An answer would have to come before that of a request sent later.
  assert.equal(await Promise.race([answered, call(`${await app.getUrl()}/health/live`).then(() => 'not yet')]), 'not yet');
  t.mock.timers.tick(1);
  const [response]: IncomingMessage[] = await answered;
  assert.ok(response !== undefined);
  const problem = JSON.parse(await text(response));
  assert.deepEqual([response.statusCode, problem.code], [503, 'unavailable']);
  assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.match(response.headers['retry-after'] ?? '', /^\d+$/);
});
