import { setTimeout as wait } from 'node:timers/promises';
import { type FaultReply, faultReply } from '../control/fault-replies.js';
import type { ArmedFault, Faults } from '../control/faults.js';
import { arrivesWhole, transmit } from '../control/transmission.js';
import type { Account } from '../core/account.js';
import { newRequestId } from '../core/ids.js';
import type { World } from '../core/world.js';
import { API_VERSION } from '../events/emit.js';
import { clientGone, type Exchange, headerOf, type Reply } from '../http/exchange.js';
import { expand } from '../http/expand.js';
import { parseBody, parseForm, type RawParams } from '../http/form.js';
import type { Router } from '../http/router.js';
import { StripeError } from '../http/stripe-error.js';
import { type Caller, callerOf, secretKeyRequired } from './authentication.js';
import type { Call, Endpoint, PreparedCall } from './endpoint.js';
import { IdempotencyKeys, idempotencyKeyOf } from './idempotency.js';
import { fingerprintOf, type IdempotencyRecord } from './idempotency-record.js';

/** A request on its way through the API. */
interface Request {
  id: string;
  exchange: Exchange;
  params: RawParams;
  account: Account | undefined;
  key: string | undefined;
  fault: ArmedFault | undefined;
  /** What the fault answers in place of Stripe, before the effect or after it. */
  instead: FaultReply;
}

/** How it ended: what is answered, and what is to be said about it in headers and journal. */
interface Outcome {
  status: number;
  body: string;
  headers?: Record<string, string> | undefined;
  executed: boolean;
  /** What the idempotency key keeps, or would keep. */
  kept: boolean;
  errorCode?: string | undefined;
  object?: string | undefined;
  replayOf?: string | undefined;
}

/** Stripe's `/v1`: authentication, idempotency, parameters, the endpoint itself, and the faults that befall them. */
export class Api {
  readonly #keys = new IdempotencyKeys();
  readonly #world: World;
  readonly #faults: Faults;
  readonly #router: Router<Endpoint>;
  readonly #pagesUrl: () => string;

  constructor(parts: { world: World; faults: Faults; router: Router<Endpoint>; pagesUrl: () => string }) {
    this.#world = parts.world;
    this.#faults = parts.faults;
    this.#router = parts.router;
    this.#pagesUrl = parts.pagesUrl;
  }

  async answer(exchange: Exchange): Promise<void> {
    const { request, caller } = this.#receive(exchange);
    const { fault } = request;
    if (this.#world.temper.latencyMs > 0) await wait(this.#world.temper.latencyMs);
    const neverArrives = request.instead.kind === 'foreign' || fault?.action === 'reset' || fault?.action === 'truncate';
    if (fault?.phase === 'before' && neverArrives) {
      this.#journal(request, undefined);
      this.#world.commit();
      await transmit(exchange, request.instead.kind === 'foreign' ? request.instead.reply : GARBLED, fault);
      return;
    }
    const outcome = await this.#outcome(request, caller);
    if (outcome === undefined) exchange.response.socket?.resetAndDestroy();
    else await transmit(exchange, this.#sent(request, outcome), fault);
  }

  /** What is sent of an outcome: itself, or what a fault puts in its place. */
  #sent(request: Request, outcome: Outcome): Reply {
    const { fault, instead } = request;
    if (fault === undefined || fault.phase === 'before' || instead.kind === 'none') return this.#reply(request, outcome);
    return instead.kind === 'foreign' ? instead.reply : this.#reply(request, this.#failed(request, instead.error, outcome.executed));
  }

  #receive(exchange: Exchange): { request: Request; caller: Caller | StripeError } {
    const params = attempt(() => ({ ...parseForm(exchange.query), ...parseBody(exchange.body, headerOf(exchange, 'content-type')) }));
    const caller = params instanceof StripeError ? params : attempt(() => callerOf(headerOf(exchange, 'authorization'), params));
    const account = caller instanceof StripeError ? undefined : this.#world.account(caller.accountName);
    const key = exchange.method === 'POST' ? headerOf(exchange, 'idempotency-key') : undefined;
    const fault = this.#faults.strike({ method: exchange.method, path: exchange.path, account: account?.id, key });
    const instead = fault === undefined ? ({ kind: 'none' } as const) : faultReply(fault, this.#world, key);
    const known = params instanceof StripeError ? {} : params;
    return { request: { id: newRequestId(), exchange, params: known, account, key, fault, instead }, caller };
  }

  /** Undefined: the caller went away before the request was begun. */
  async #outcome(request: Request, caller: Caller | StripeError): Promise<Outcome | undefined> {
    try {
      const { fault, instead } = request;
      if (fault?.phase === 'before' && instead.kind === 'error' && !instead.error.kept) throw instead.error;
      if (caller instanceof StripeError) throw caller;
      return await this.#admitted(request, caller);
    } catch (error) {
      if (!(error instanceof StripeError)) throw error;
      const outcome = this.#failed(request, error, false);
      this.#journal(request, outcome);
      this.#world.commit();
      return outcome;
    }
  }

  async #admitted(request: Request, caller: Caller): Promise<Outcome | undefined> {
    const { exchange, params } = request;
    const account = this.#world.account(caller.accountName);
    const found = this.#router.find(exchange.method, exchange.path);
    if (found === undefined) throw unrecognizedUrl(exchange);
    refuseForeignVersion(headerOf(exchange, 'stripe-version'));
    const key = idempotencyKeyOf(exchange.method, request.key);
    const startedAt = this.#world.now();
    const fingerprint = key === undefined ? '' : fingerprintOf(exchange.method, exchange.path, params);
    if (key !== undefined) {
      const record = this.#keys.find(account, key, fingerprint, startedAt, this.#world.temper.keyInUseErrorType);
      if (record !== undefined) return (await this.#heldUp(request)) ? undefined : this.#replayed(request, record);
    }
    if (caller.audience === 'publishable' && !found.route.forBrowsers) throw secretKeyRequired();
    const prepared = found.route.prepare(params, found.ids);
    if (key !== undefined) this.#keys.begin(account, key, fingerprint);
    let record: IdempotencyRecord | undefined;
    try {
      if (await this.#heldUp(request)) return undefined;
      const outcome = this.#executed(request, account, caller, prepared);
      if (outcome.kept && key !== undefined) {
        record = { id: key, created: startedAt, fingerprint, status: outcome.status, body: outcome.body, requestId: request.id };
      }
      return outcome;
    } finally {
      if (key !== undefined) this.#keys.end(account, key, record);
      this.#world.commit();
    }
  }

  /** Sits out a fault that strikes before the effect; true when the request ends there, unanswered and undone. */
  async #heldUp(request: Request): Promise<boolean> {
    const { fault, exchange } = request;
    if (fault?.phase !== 'before') return false;
    if (fault.action === 'delay') await wait(fault.ms ?? 0);
    if (fault.action !== 'hang') return false;
    await clientGone(exchange, fault.ms);
    this.#journal(request, undefined);
    return true;
  }

  /**
   * Runs the endpoint, unless a fault took its place. An error that is kept belongs to Stripe: it stands under the key whether the
   * effect is there or not. One that is not kept comes from the way back: the key holds the true answer.
   */
  #executed(request: Request, account: Account, caller: Caller, prepared: PreparedCall): Outcome {
    const { fault, instead } = request;
    const undone = fault?.phase === 'before' && instead.kind === 'error';
    const done = undone ? undefined : this.#run(request, account, caller, prepared);
    const keptError = instead.kind === 'error' && instead.error.kept ? this.#failed(request, instead.error, done !== undefined) : undefined;
    const outcome = keptError ?? done;
    if (outcome === undefined) throw new Error(`fault ${fault?.id} left request ${request.id} without an outcome`);
    this.#journal(request, outcome);
    return outcome;
  }

  #run(request: Request, account: Account, caller: Caller, prepared: PreparedCall): Outcome {
    const { key } = request;
    const call: Call = {
      world: this.#world,
      account,
      at: this.#world.now(),
      cause: { requestId: request.id, idempotencyKey: key ?? null, origin: 'api' },
      pagesUrl: this.#pagesUrl(),
      audience: caller.audience,
    };
    try {
      const result = prepared.run(call);
      const object: unknown = Reflect.get(result, 'id');
      return {
        status: 200,
        body: JSON.stringify(expand(account, result, prepared.expand)),
        executed: true,
        kept: true,
        object: typeof object === 'string' ? object : undefined,
      };
    } catch (error) {
      if (error instanceof StripeError) return this.#failed(request, error, true);
      console.error(error);
      return this.#failed(request, new StripeError(500, { type: 'api_error', message: `The simulator failed: ${String(error)}` }), true);
    }
  }

  #failed(request: Request, error: StripeError, executed: boolean): Outcome {
    return {
      status: error.status,
      body: error.body({ accountId: request.account?.id ?? 'acct_unknown', requestId: request.id }),
      headers: error.fields.headers,
      executed,
      kept: error.kept,
      errorCode: error.fields.code ?? error.fields.type ?? 'invalid_request_error',
    };
  }

  #replayed(request: Request, record: IdempotencyRecord): Outcome {
    const outcome: Outcome = { status: record.status, body: record.body, executed: false, kept: true, replayOf: record.requestId };
    this.#journal(request, outcome);
    this.#world.commit();
    return outcome;
  }

  #reply(request: Request, outcome: Outcome): Reply {
    const { key } = request;
    // Under a key Stripe says "do not retry" even of a success; of a 5xx it leaves the caller to decide.
    const settled = key !== undefined && outcome.kept && outcome.status < 500;
    return {
      status: outcome.status,
      body: outcome.body,
      headers: {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-cache, no-store',
        'Request-Id': request.id,
        'Stripe-Version': headerOf(request.exchange, 'stripe-version') ?? API_VERSION,
        ...BROWSERS_MAY_READ,
        ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        ...(key === undefined || !outcome.kept ? {} : { 'Original-Request': outcome.replayOf ?? request.id }),
        ...(outcome.replayOf === undefined ? {} : { 'Idempotent-Replayed': 'true' }),
        ...(settled ? { 'Stripe-Should-Retry': 'false' } : {}),
        ...outcome.headers,
      },
    };
  }

  #journal(request: Request, outcome: Outcome | undefined): void {
    const { exchange, fault, key } = request;
    const status = outcome === undefined ? null : this.#sent(request, outcome).status;
    this.#world.journalEntry(request.account ?? null, {
      kind: 'request',
      method: exchange.method,
      path: exchange.path,
      requestId: request.id,
      idempotencyKey: key ?? null,
      status: arrivesWhole(fault) ? status : null,
      errorCode: outcome?.errorCode ?? null,
      object: outcome?.object ?? null,
      executed: outcome?.executed ?? false,
      replayOf: outcome?.replayOf ?? null,
      fault: fault === undefined ? null : { id: fault.id, action: fault.action, phase: fault.phase },
    });
  }
}

/** What is cut when a fault cuts the answer of a request that was never done. */
const GARBLED: Reply = { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"id": "", "object": ""}' };

const BROWSERS_MAY_READ = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Request-Id, Idempotent-Replayed, Original-Request, Stripe-Should-Retry',
};

function unrecognizedUrl({ method, path }: Exchange): StripeError {
  return new StripeError(404, {
    message: `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
    kept: false,
  });
}

function refuseForeignVersion(version: string | undefined): void {
  if (version === undefined || /^\d{4}-\d{2}-\d{2}(\.\w+)?$/.test(version)) return;
  throw new StripeError(400, { message: `Invalid Stripe API version: ${version}`, kept: false });
}

function attempt<T>(read: () => T): T | StripeError {
  try {
    return read();
  } catch (error) {
    if (error instanceof StripeError) return error;
    throw error;
  }
}
