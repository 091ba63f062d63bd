import { createHmac } from 'node:crypto';

/** The `Stripe-Signature` header of a payload: the key is the whole `whsec_...` text, as it stands. */
export function signatureHeader(payload: string, secret: string, timestampSeconds: number): string {
  const digest = createHmac('sha256', secret).update(`${timestampSeconds}.${payload}`, 'utf8').digest('hex');
  return `t=${timestampSeconds},v1=${digest}`;
}
