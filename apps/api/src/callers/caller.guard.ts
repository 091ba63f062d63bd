import { type CanActivate, createParamDecorator, type CustomDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { type Reflector } from '@nestjs/core';
import { DomainError } from '#libs/primitives';
import { type FastifyRequest } from 'fastify';
import { type Authenticator } from './authenticate.js';
import { type Caller, type Scope } from './caller.js';

/** Who may use a route: anyone, or callers with a scope; `secretOnly` keeps browsers out. */
interface RoutePolicy {
  readonly scope: Scope | 'public';
  readonly secretOnly: boolean;
}

const POLICY = 'oncepay:policy';

/** Opens a route to anyone. */
export function Public(): CustomDecorator {
  const policy: RoutePolicy = { scope: 'public', secretOnly: false };
  return SetMetadata(POLICY, policy);
}

/** Opens a route to callers with a scope. */
export function Needs(scope: Scope, options: { secretOnly: boolean } = { secretOnly: false }): CustomDecorator {
  const policy: RoutePolicy = { scope, ...options };
  return SetMetadata(POLICY, policy);
}

/** Lets a request in or not, by the policy its route declares. A route without one lets nobody in. */
export class CallerGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const policy = this.reflector.getAllAndOverride<RoutePolicy | undefined>(POLICY, [context.getHandler(), context.getClass()]);
    if (policy === undefined) throw new Error(`bug: ${context.getClass().name}.${context.getHandler().name} declares no policy`);
    if (policy.scope === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = await this.authenticator.authenticate(request.headers.authorization);
    if (policy.secretOnly && caller.audience !== 'secret')
      throw new DomainError('forbidden', 'This needs a secret key; a publishable key is for browsers.');
    if (!caller.scopes.includes(policy.scope)) throw new DomainError('forbidden', `The key lacks the scope ${policy.scope}.`);
    request.caller = caller;
    return true;
  }
}

/** The caller of the request, on routes that need one. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (caller === undefined) throw new Error('bug: a public route asks for its caller');
  return caller;
});
