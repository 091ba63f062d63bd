import { newId, randomToken } from '../core/ids.js';

export interface WebhookEndpoint {
  id: string;
  object: 'webhook_endpoint';
  api_version: string | null;
  application: null;
  created: number;
  description: string | null;
  enabled_events: string[];
  livemode: false;
  metadata: Record<string, string>;
  status: 'enabled' | 'disabled';
  url: string;
}

/** Shown once, in the answer that creates the endpoint; deliveries are signed with it. */
export interface WebhookEndpointSecret {
  id: string;
  created: number;
  secret: string;
}

export type WebhookEndpointFields = Pick<WebhookEndpoint, 'api_version' | 'description' | 'enabled_events' | 'metadata' | 'url'>;

export function newWebhookEndpoint(at: number, fields: WebhookEndpointFields): WebhookEndpoint {
  return {
    id: newId('we'),
    object: 'webhook_endpoint',
    application: null,
    created: at,
    livemode: false,
    status: 'enabled',
    ...fields,
  };
}

export function newWebhookSecret(): string {
  return `whsec_${randomToken(32)}`;
}
