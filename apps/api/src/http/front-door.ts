import { DomainError } from '#libs/primitives';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify';
import { type Authenticator } from '../callers/authenticate.js';
import { assertAllowed, type RoutePolicy } from '../callers/caller.guard.js';
import { type Caller } from '../callers/caller.js';
import { type CrossOrigin, isPreflight } from './cors.js';
import { SECURITY_HEADERS } from './security-headers.js';

interface FrontDoor {
  readonly authenticator: Authenticator;
  readonly crossOrigin: CrossOrigin;
}

/**
 * Decides about every request before a byte of its body is read: who sends it, whether its route is open to them and to the page it
 * comes from. Must be called before the routes are made: one that declares no policy stops the start.
 */
export function guardRoutes(fastify: FastifyInstance, { authenticator, crossOrigin }: FrontDoor): void {
  const routes = new RouteTable();
  fastify.addHook('onRoute', (route) => routes.add(route));
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers({ 'X-Request-Id': request.id, ...SECURITY_HEADERS });
    if (request.url.startsWith('/v1/')) await crossOrigin.greet(request, reply);
    if (isPreflight(request)) return crossOrigin.answerPreflight(reply);
    if (request.is404) return refuseMethod(request, reply, routes);
    const { policy } = request.routeOptions.config;
    if (policy === undefined) throw new Error(`bug: ${request.routeOptions.url} declares no policy`);
    if (policy.scope !== 'public') request.caller = await admit(request, reply, policy);
  });

  async function admit(request: FastifyRequest, reply: FastifyReply, policy: RoutePolicy): Promise<Caller> {
    const caller = await authenticator.authenticate(request.headers.authorization);
    const { origin } = request.headers;
    if (caller.audience === 'secret') crossOrigin.withdraw(reply);
    else if (origin !== undefined && caller.origins !== null && !caller.origins.includes(origin)) {
      crossOrigin.withdraw(reply);
      throw new DomainError('forbidden', 'The key is not for pages of this origin.');
    }
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

/** The paths of all routes with their methods. */
class RouteTable {
  readonly #routes: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = [];

  /** Throws when the route declares no policy. */
  add({ method, url, config }: RouteOptions): void {
    const methods = [method].flat();
    if (config?.policy === undefined) throw new Error(`bug: ${methods.join()} ${url} declares no policy: say @Needs(scope) or @Public()`);
    this.#routes.push({ parts: url.split('/'), methods });
  }

  methodsOf(path: string): readonly string[] {
    const given = path.split('/');
    const fits = (parts: readonly string[]): boolean =>
      parts.length === given.length && parts.every((part, index) => part === given[index] || (part.startsWith(':') && given[index] !== ''));
    return [...new Set(this.#routes.filter(({ parts }) => fits(parts)).flatMap(({ methods }) => methods))];
  }
}
