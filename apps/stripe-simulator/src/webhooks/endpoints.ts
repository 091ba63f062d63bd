import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { API_VERSION } from '../events/emit.js';
import { LIST_PARAMS, listPage } from '../http/lists.js';
import { boolean, changedMetadata, list, metadata, required, string, unsettable } from '../http/params.js';
import { invalidRequest, missingResource } from '../http/stripe-error.js';
import { newWebhookEndpoint, newWebhookSecret, type WebhookEndpoint } from './webhook-endpoint.js';

export const WEBHOOK_ENDPOINT_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/webhook_endpoints',
    params: {
      api_version: string(),
      connect: boolean(),
      description: unsettable(string()),
      enabled_events: required(list(string())),
      metadata: metadata(),
      url: required(string()),
    },
    run(call, params) {
      const made = newWebhookEndpoint(call.at, {
        api_version: params.api_version ?? API_VERSION,
        description: params.description ?? null,
        enabled_events: params.enabled_events,
        metadata: changedMetadata({}, params.metadata),
        url: acceptedUrl(params.url),
      });
      const secret = newWebhookSecret();
      call.account.save('webhook_endpoints', made);
      call.account.save('webhook_endpoint_secrets', { id: made.id, created: made.created, secret });
      return { ...made, secret };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/webhook_endpoints',
    params: LIST_PARAMS,
    run: (call, params) =>
      listPage({ collection: call.account.all('webhook_endpoints'), params, url: '/v1/webhook_endpoints', kind: 'webhook_endpoint' }),
  }),
  endpoint({ method: 'GET', path: '/v1/webhook_endpoints/:id', params: {}, run: (call, _, { id }) => existing(call, id) }),
  endpoint({
    method: 'POST',
    path: '/v1/webhook_endpoints/:id',
    params: { description: unsettable(string()), disabled: boolean(), enabled_events: list(string()), metadata: metadata(), url: string() },
    run(call, params, { id }) {
      const before = existing(call, id);
      const disabled = params.disabled ?? before.status === 'disabled';
      return call.account.save('webhook_endpoints', {
        ...before,
        description: params.description === undefined ? before.description : params.description,
        enabled_events: params.enabled_events ?? before.enabled_events,
        metadata: changedMetadata(before.metadata, params.metadata),
        status: disabled ? 'disabled' : 'enabled',
        url: params.url === undefined ? before.url : acceptedUrl(params.url),
      });
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/v1/webhook_endpoints/:id',
    params: {},
    run(call, _, { id }) {
      const { object } = existing(call, id);
      call.account.remove('webhook_endpoints', id);
      return { id, object, deleted: true };
    },
  }),
];

function existing(call: Call, id: string): WebhookEndpoint {
  const found = call.account.find('webhook_endpoints', id);
  if (found === undefined) throw missingResource('webhook endpoint', id, 'webhook_endpoint');
  return found;
}

function acceptedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw invalidRequest('Invalid URL: An explicit scheme (such as https) must be provided.', {
    code: 'url_invalid',
    param: 'url',
    kept: false,
  });
}
