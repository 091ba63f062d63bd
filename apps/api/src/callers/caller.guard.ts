import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { DomainError } from '#libs/primitives';
import { type FastifyRequest } from 'fastify';
import { type Caller, type Scope } from './caller.js';

/** Who may use a route: anyone, or callers with a scope; `secretOnly` keeps browsers out. */
export interface RoutePolicy {
  readonly scope: Scope | 'public';
  readonly secretOnly: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route without one stops the start. */
    policy?: RoutePolicy;
  }
}

const DECLARED = 'oncepay:declared';

/** The policy of what everybody may see. */
export const PUBLIC: RoutePolicy = { scope: 'public', secretOnly: false };

/** Opens a route, or every route of a controller, to anyone. */
export function Public(): ClassDecorator & MethodDecorator {
  return declare(PUBLIC);
}

/** Opens a route, or every route of a controller, to callers with a scope. */
export function Needs(scope: Scope, options: { secretOnly: boolean } = { secretOnly: false }): ClassDecorator & MethodDecorator {
  return declare({ scope, ...options });
}

/** Throws DomainError forbidden when the caller may not use a route of this policy. */
export function assertAllowed({ scope, secretOnly }: RoutePolicy, caller: Caller): void {
  if (scope === 'public') return;
  if (secretOnly && caller.audience !== 'secret')
    throw new DomainError('forbidden', 'This needs a secret key; a publishable key is for browsers.');
  if (!caller.scopes.includes(scope)) throw new DomainError('forbidden', `The key lacks the scope ${scope}.`, { missingScope: scope });
}

/** The caller of the request, on routes that need one. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (caller === undefined) throw new Error('bug: a public route asks for its caller');
  return caller;
});

/** The router learns the policy with the route, so that a request is let in or not before a byte of its body is read. */
function declare(policy: RoutePolicy): ClassDecorator & MethodDecorator {
  const decorate = applyDecorators(RouteConfig({ policy }), SetMetadata(DECLARED, true));
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (key !== undefined && descriptor !== undefined) return decorate(target, key, descriptor);
    const prototype: unknown = Reflect.get(target, 'prototype');
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const handler: unknown = member.value;
      if (name === 'constructor' || typeof handler !== 'function') continue;
      // What a method declares goes before what its class does.
      if (Reflect.getMetadata(DECLARED, handler) !== true) decorate(handler, name, member);
    }
  };
}
