import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RouteOptions } from 'fastify';
import { type RoutePolicy } from '../callers/caller.guard.js';
import { RouteTable } from './front-door.js';

const handler = (): void => undefined;
const route = (method: string | string[], url: string, policy?: RoutePolicy): RouteOptions => ({
  method,
  url,
  handler,
  ...(policy === undefined ? {} : { config: { policy } }),
});
const READ: RoutePolicy = { scope: 'orders:read', secretOnly: false };

describe('the table of routes', () => {
  it('takes no route that does not say who may use it, which stops the start', () => {
    assert.throws(() => new RouteTable().add(route('GET', '/v1/new')), /GET \/v1\/new declares no policy/);
    assert.throws(() => new RouteTable().add({ ...route('POST', '/v1/new'), config: {} }), /declares no policy/);
  });

  it('knows the methods and the policy of a path, whatever stands for its parameters', () => {
    const routes = new RouteTable();
    routes.add(route(['GET', 'HEAD'], '/v1/orders/:id', READ));
    routes.add(route('POST', '/v1/orders/:id/pay', { scope: 'orders:write', secretOnly: true }));
    assert.deepEqual(routes.methodsOf('/v1/orders/ord_1'), ['GET', 'HEAD']);
    assert.deepEqual(routes.policyOf('POST', '/v1/orders/{id}/pay'), { scope: 'orders:write', secretOnly: true });
    for (const path of ['/v1/orders/', '/v1/orders/a/b', '/v1/orders']) assert.deepEqual(routes.methodsOf(path), [], path);
  });
});
