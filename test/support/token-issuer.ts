import { once } from 'node:events';
import { createServer } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { developmentAccount } from './api-keys.js';

const ISSUER = 'https://login.example';
const AUDIENCE = 'https://pay.example';

/** In what a token is not as it should be. */
export interface Deviation {
  readonly header?: object;
  readonly claims?: JWTPayload;
  readonly without?: string;
  readonly key?: CryptoKey | Uint8Array;
}

/** Who gives out access tokens that an API of these settings takes. */
export interface TokenIssuer {
  readonly settings: Readonly<Record<string, string>>;
  /** Its public key as it publishes it. */
  readonly publicKey: string;
  /** False: it answers 503. */
  isUp: boolean;
  /** How often its keys were read. */
  timesAsked: number;
  /** A good token of the first account, but for the deviation. */
  token(deviation?: Deviation): Promise<string>;
  /** What such a token says. */
  payload(deviation?: Deviation): JWTPayload;
  close(): void;
}

/** Starts one. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  const server = createServer((_, response) => {
    issuer.timesAsked += 1;
    response.writeHead(issuer.isUp ? 200 : 503).end(JSON.stringify({ keys: [jwk] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const issuer: TokenIssuer = {
    settings: {
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_JWKS_URL: `http://127.0.0.1:${port}/keys`,
      JWT_ACCOUNT_CLAIM: 'account',
    },
    publicKey: JSON.stringify(jwk),
    isUp: true,
    timesAsked: 0,
    token: (deviation = {}) =>
      new SignJWT(payloadOf(deviation))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'one', ...deviation.header })
        .sign(deviation.key ?? privateKey, { crit: { odd: true } }),
    payload: (deviation = {}) => payloadOf(deviation),
    close: () => void server.close(),
  };
  return issuer;
}

function payloadOf({ claims, without }: Deviation): JWTPayload {
  const now = Math.floor(Date.now() / 1_000);
  const all = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'ada',
    client_id: 'back-office',
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 600,
    scope: 'orders:write orders:read unknown',
    account: developmentAccount(1),
    ...claims,
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== without));
}
