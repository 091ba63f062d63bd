import { DomainError } from '#libs/primitives';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify';
import { type Authenticator } from '../callers/authenticate.js';
import { assertAllowed, type RoutePolicy } from '../callers/caller.guard.js';
import { type Caller } from '../callers/caller.js';
import { type RequestLimits } from '../limits/request-limits.js';
import { assertUnambiguous } from './ambiguous-request.js';
import { type CrossOrigin, isPreflight } from './cors.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** What the door asks. */
export interface FrontDoor {
  readonly authenticator: Authenticator;
  readonly crossOrigin: CrossOrigin;
  readonly limits: RequestLimits;
}

/**
 * Decides about every request before a byte of its body is read: who sends it, whether its route is open to them and to the page it
 * comes from. Must be called before the routes are made: one that declares no policy stops the start. Returns what routes there are.
 */
export function guardRoutes(fastify: FastifyInstance, { authenticator, crossOrigin, limits }: FrontDoor): RouteTable {
  const routes = new RouteTable();
  fastify.addHook('onRoute', (route) => routes.add(route));
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers({ 'X-Request-Id': request.id, ...SECURITY_HEADERS });
    assertUnambiguous(request);
    if (request.url.startsWith('/v1/')) await crossOrigin.greet(request, reply);
    if (isPreflight(request)) return crossOrigin.answerPreflight(reply);
    if (request.is404) return refuseMethod(request, reply, routes);
    const { policy } = request.routeOptions.config;
    if (policy === undefined) throw new Error(`bug: ${request.routeOptions.url} declares no policy`);
    if (policy.scope !== 'public') request.caller = await admit(request, reply, policy);
  });
  return routes;

  async function admit(request: FastifyRequest, reply: FastifyReply, policy: RoutePolicy): Promise<Caller> {
    const { authorization, origin } = request.headers;
    const { ip } = request;
    const caller = await limits.authenticated(ip, reply, () => authenticator.authenticate({ authorization, ip }));
    const { audience, origins } = caller;
    const isElsewhere = audience === 'publishable' && origin !== undefined && origins !== null && !origins.includes(origin);
    if (audience === 'secret' || isElsewhere) crossOrigin.withdraw(reply);
    // What is refused for what it asks is counted too.
    limits.count(caller, ip, reply);
    if (isElsewhere) throw new DomainError('forbidden', 'The key is not for pages of this origin.');
    assertAllowed(policy, caller);
    return caller;
  }
}

/** Tells a path that is not there from one that does not take the method. */
function refuseMethod(request: FastifyRequest, reply: FastifyReply, routes: RouteTable): void {
  const methods = routes.methodsOf(request.url.split('?')[0] ?? '/');
  if (methods.length === 0) return;
  void reply.header('Allow', methods.join(', '));
  if (request.method === 'OPTIONS') return void reply.status(204).send();
  throw new DomainError('method_not_allowed', `This path takes ${methods.join(', ')}.`);
}

/** All routes with their methods and policies. */
export class RouteTable {
  readonly #routes: Route[] = [];

  /** Throws when the route declares no policy. */
  add({ method, url, config }: RouteOptions): void {
    const methods = [method].flat();
    const policy = config?.policy;
    if (policy === undefined) throw new Error(`bug: ${methods.join()} ${url} declares no policy: say @Needs(scope) or @Public()`);
    this.#routes.push({ parts: url.split('/'), methods, policy });
  }

  /** Every route as `METHOD /path`, with its policy. */
  get all(): ReadonlyMap<string, RoutePolicy> {
    return new Map(this.#routes.flatMap(({ methods, parts, policy }) => methods.map((method) => [`${method} ${parts.join('/')}`, policy])));
  }

  methodsOf(path: string): readonly string[] {
    return [...new Set(this.#at(path).flatMap(({ methods }) => methods))];
  }

  policyOf(method: string, path: string): RoutePolicy | undefined {
    return this.#at(path).find(({ methods }) => methods.includes(method))?.policy;
  }

  #at(path: string): readonly Route[] {
    const given = path.split('/');
    const fits = ({ parts }: Route): boolean =>
      parts.length === given.length && parts.every((part, index) => part === given[index] || (part.startsWith(':') && given[index] !== ''));
    return this.#routes.filter(fits);
  }
}

interface Route {
  readonly parts: readonly string[];
  readonly methods: readonly string[];
  readonly policy: RoutePolicy;
}
