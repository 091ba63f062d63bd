import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config } from '#libs/config';
import { Database } from '#libs/database';
import { OutboxBell } from '#libs/jobs';
import { assertOurMode } from '#libs/payments';
import { type EffectName, reach, systemClock, systemEntropy, virtualClock } from '#libs/primitives';
import { correlate, type Logger, nestLogger, observeHttpRequest } from '#libs/telemetry';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { AdminListener } from './admin-listener.js';
import { ApiModule } from './api.module.js';
import { openApiDocument } from './docs/openapi.js';
import { REFERENCE_STYLE } from './docs/page-style.js';
import { referencePage } from './docs/reference-page.js';
import { Authenticator } from './callers/authenticate.js';
import { PUBLIC } from './callers/caller.guard.js';
import { CrossOrigin } from './http/cors.js';
import { KeyUsage } from './callers/key-usage.js';
import { type FrontDoor, guardRoutes, type RouteTable } from './http/front-door.js';
import { readJsonBodies } from './http/json-body.js';
import { ProblemFilter } from './http/problem.filter.js';
import { targetFromPath } from './http/request-target.js';
import { RequestsUnderWay } from './http/requests-under-way.js';
import { RateLimiter } from './limits/rate-limiter.js';
import { RequestLimits } from './limits/request-limits.js';
import { sendPage } from './http/security-headers.js';
import { refuseUnparsed, watchConnections } from './http/unparsed-request.js';
import { Draining } from './health/draining.js';

/** A running API. */
export interface RunningApi {
  readonly app: NestFastifyApplication;
  readonly routes: RouteTable;
  readonly url: string;
  /** Where metrics and ops are, if ADMIN_PORT asks for them to be apart. */
  readonly adminUrl: string | null;
  /** Says that it is not ready, stops accepting, finishes what is under way, lets go of everything. */
  close(): Promise<void>;
}

/** An order of 100 items with all its metadata takes a quarter of it. */
const BODY_LIMIT_BYTES = 262_144;
/** Stripe decides how large an event is. */
const WEBHOOK_BODY_LIMIT_BYTES = 1_048_576;
/** Until a request has arrived whole, its headers and body. Fastify's own defaults of these four are no limit at all. */
const REQUEST_TIMEOUT_MS = 15_000;
const LATE_REQUESTS_CHECKED_EVERY_MS = 2_500;
/** Longer than anybody may wait by `Prefer: wait`. */
const HANDLER_TIMEOUT_MS = 40_000;
/** A connection on which nothing moves; event streams move every 15 s. */
const SILENT_CONNECTION_TIMEOUT_MS = 60_000;
/** Outside production a simulator may jump ahead at any time. */
const CLOCK_REFRESH_MS = 500;

const ANSWERS: Readonly<Record<string, EffectName>> = {
  'POST /v1/orders': 'api.order.answer',
  'POST /v1/orders/:id/pay': 'api.command.answer',
  'POST /v1/orders/:id/capture': 'api.command.answer',
  'POST /v1/orders/:id/cancel': 'api.command.answer',
  'POST /v1/orders/:id/refunds': 'api.command.answer',
  'POST /webhooks/stripe': 'api.webhook.answer',
};

const READS = ['GET', 'HEAD', 'OPTIONS'];

/** The effect that the answer to a request is; none where it was only read. */
function answerEffect({ method, routeOptions: { url } }: FastifyRequest): EffectName | null {
  if (url === undefined || READS.includes(method)) return null;
  return ANSWERS[`${method} ${url}`] ?? 'api.admin.answer';
}

/** Puts the API together without a socket: for the server, and for whoever wants its OpenAPI document. */
export async function createApi(
  config: Config,
  logger: Logger,
): Promise<Omit<RunningApi, 'url' | 'adminUrl'> & { readonly admin: AdminListener }> {
  const clock = config.development.clockUrl === null ? systemClock : virtualClock(config.development.clockUrl);
  const onError = (error: unknown): void => logger.warn({ error }, 'a connection was lost');
  const database = new Database({ url: config.database.url, behindPooler: config.database.url !== config.database.directUrl, onError });
  const bell = new OutboxBell(database.autocommit, onError);
  const usage = new KeyUsage(database, clock, logger);
  const limiter = new RateLimiter(database, logger);
  const limits = new RequestLimits(limiter, config.rateLimits);
  const problems = new ProblemFilter(logger);
  const refuse: Refuse = (error, request, reply) => problems.send(error, request, reply);
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule.of({ config, logger, clock, database, bell, usage }),
    adapterOf(config, refuse),
    {
      logger: nestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    },
  );
  const admin = new AdminListener();
  if (config.adminPort !== null) admin.separate(app.getHttpAdapter().getInstance(), refuse);
  const draining = app.get(Draining);
  const routes = preparePlumbing(app, draining, {
    authenticator: app.get(Authenticator),
    crossOrigin: new CrossOrigin(database, clock, limits, config.development.publishableKeys.length > 0),
    limits,
  });
  describeAt(app, routes);
  await app.init();
  const ticking = config.development.clockUrl === null ? null : setInterval(() => void clock.refresh(), CLOCK_REFRESH_MS);
  await clock.refresh();
  const { server } = app.getHttpAdapter().getInstance();
  watchConnections(server);
  const requests = new RequestsUnderWay(server);
  return {
    app,
    routes,
    admin,
    close: async () => {
      draining.begin();
      if (server.listening) await delay(config.shutdown.delayMs);
      if (ticking) clearInterval(ticking);
      const closed = app.close();
      await Promise.race([closed, requests.end()]);
      server.closeAllConnections();
      await closed;
      await admin.close();
      await Promise.all([bell.close(), usage.close(), limiter.close().catch(onError)]);
      await database.close();
    },
  };
}

/** Starts the API and listens. Throws what the socket throws when the port is taken. */
export async function startApi(config: Config, logger: Logger): Promise<RunningApi> {
  const { app, routes, admin, close } = await createApi(config, logger);
  const database = app.get(Database);
  await database.warmUp();
  await assertOurMode(database.autocommit, config, logger);
  await app.listen(config.port, '0.0.0.0');
  const adminUrl = config.adminPort === null ? null : await admin.listen(app.getHttpAdapter().getInstance(), config.adminPort);
  return { app, routes, close, url: (await app.getUrl()).replace('[::1]', '127.0.0.1'), adminUrl };
}

/** Makes the routes of the description and the reference, which are written when somebody first asks: no order waits for them. */
function describeAt(app: NestFastifyApplication, routes: RouteTable): void {
  let written: { readonly text: string; readonly reference: string } | null = null;
  const description = (): { readonly text: string; readonly reference: string } => {
    if (written === null) {
      const document = openApiDocument(app, routes);
      written = { text: JSON.stringify(document), reference: referencePage(document) };
    }
    return written;
  };
  const fastify = app.getHttpAdapter().getInstance();
  const open = { config: { policy: PUBLIC } };
  fastify.get('/openapi.json', open, (_request, reply) => reply.type('application/json; charset=utf-8').send(description().text));
  // Whoever opens the bare address looks for it.
  fastify.get('/', open, (_request, reply) => reply.redirect('/docs'));
  fastify.get('/docs', open, (_request, reply) =>
    sendPage(reply, { title: 'Oncepay API', style: REFERENCE_STYLE, body: description().reference }),
  );
}

/** Answers what never meets the hooks and filters of a route. */
type Refuse = (error: Error, request: FastifyRequest, reply: FastifyReply) => void;

/** The server with its limits. */
function adapterOf(config: Config, refuse: Refuse): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    connectionTimeout: SILENT_CONNECTION_TIMEOUT_MS,
    http: {
      // Node takes the larger of the two for bodies, and its own for headers is a minute.
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: LATE_REQUESTS_CHECKED_EVERY_MS,
      // A request without a host is refused by us: Node's own refusal is no problem document.
      requireHostHeader: false,
    },
    clientErrorHandler: refuseUnparsed,
    genReqId: () => `req_${systemEntropy.secret(12)}`,
    // Without proxies that are trusted, X-Forwarded-For is what a stranger claims.
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    routerOptions: { maxParamLength: 200 },
    rewriteUrl: targetFromPath,
    // What comes over a connection kept alive while we stop is answered too, and its connection then closed.
    return503OnClosing: false,
    // A path that cannot be decoded or is too long.
    frameworkErrors: refuse,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
}

/** Our routes have classes, not schemas: Fastify's two schema compilers would be a twentieth of the start, loaded for nothing. */
function noSchemas(): never {
  throw new Error('bug: a route has a JSON schema');
}

/** What lies around every route: bodies, request ids, failpoints, and that nobody stays connected to a process that stops. */
function preparePlumbing(app: NestFastifyApplication, draining: Draining, door: FrontDoor): RouteTable {
  const fastify = app.getHttpAdapter().getInstance();
  readJsonBodies(fastify);
  fastify.addHook('onRoute', (route) => {
    if (route.url.startsWith('/webhooks/')) route.bodyLimit = WEBHOOK_BODY_LIMIT_BYTES;
  });
  fastify.addHook('onRequest', async (_request, reply) => {
    if (draining.hasBegun) void reply.header('Connection', 'close');
  });
  // Node would refuse an unknown expectation by itself, without a request id; RFC 9110, 10.1.1 lets us overlook it.
  fastify.server.on('checkExpectation', (request, response) => fastify.server.emit('request', request, response));
  const routes = guardRoutes(fastify, door);
  // After the body was read: its events would lead out of the context again.
  fastify.addHook('preValidation', (request, _reply, done) => correlate({ requestId: request.id }, done));
  fastify.addHook('onSend', async (request) => {
    const effectName = answerEffect(request);
    if (effectName !== null) reach(effectName, 'before');
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url;
    // A method that no route has is somebody's invention.
    const method = route === undefined ? 'any' : request.method;
    observeHttpRequest({ method, route: route ?? 'unmatched', status: reply.statusCode, seconds: reply.elapsedTime / 1_000 });
    const effectName = answerEffect(request);
    if (effectName !== null) reach(effectName, 'after');
  });
  return routes;
}
