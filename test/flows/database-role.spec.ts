import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { type Stack, startStack } from '../support/stack.js';

/** What whoever installs grants to the role that API and worker run as; the tables belong to the role that migrates. */
const GRANTS = `
  GRANT USAGE ON SCHEMA public, bullmq TO %ROLE%;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, bullmq TO %ROLE%;
  GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public, bullmq TO %ROLE%;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, bullmq TO %ROLE%;`;

const ROLE = `oncepay_app_${crypto.randomUUID().replaceAll('-', '')}`;

const PASSWORD = crypto.randomUUID();

describe('API and worker as a role that may change rows and nothing else', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack({
      prepare: async (database) => {
        await database.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`);
        await database.query(GRANTS.replaceAll('%ROLE%', ROLE));
        const url = new URL(database.url);
        url.username = ROLE;
        url.password = PASSWORD;
        return url.href;
      },
    });
  });
  after(async () => {
    await stack.close(async (database) => {
      await database.query(`DROP OWNED BY ${ROLE}`);
      await database.query(`DROP ROLE ${ROLE}`);
    });
  });

  it('cannot change what a table is', async () => {
    const url = new URL(stack.database.url);
    [url.username, url.password] = [ROLE, PASSWORD];
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await assert.rejects(client.query('ALTER TABLE orders DROP COLUMN amount'), /must be owner of table orders/);
    await assert.rejects(client.query('CREATE TABLE public.mine (id int)'), /permission denied for schema public/);
    await client.end();
  });

  it('take an order to paid and refund it', async () => {
    const { id } = await stack.order();
    await stack.orderIn(id, 'paid');
    const refund = await stack.call(`/v1/orders/${id}/refunds`, { idempotencyKey: crypto.randomUUID(), body: { amount: 500 } });
    assert.equal(refund.status, 201, refund.text);
    await stack.orderIn(id, 'partially_refunded');
  });
});
