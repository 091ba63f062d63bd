import http from 'node:http';
import https from 'node:https';
import type { ArmedWebhookFault, WebhookFaults } from '../control/webhook-faults.js';
import type { Account } from '../core/account.js';
import type { Announcement, World } from '../core/world.js';
import { newId } from '../core/ids.js';
import { deliveryId } from '../events/emit.js';
import { shownEvent } from '../events/endpoints.js';
import type { StripeEvent } from '../events/event.js';
import { COMMON_ENDPOINT, type Delivery } from './delivery.js';
import { post } from './post.js';
import { signatureHeader } from './signature.js';

/** How many deliveries are under way at once; the rest wait in line. */
const CONCURRENCY = 32;
/** Stripe takes hours for its retries. Here a receiver that comes back should not be waited for longer than seconds. */
const RETRY_FIRST_MS = 100;
const RETRY_MS_MAX = 5_000;
/** About half an hour of trying; after that the event is listed as not delivered. */
const ATTEMPTS_MAX = 400;
/** A reordering window that does not fill is sent after this long. */
const REORDER_WAIT_MS = 2_000;
const REORDER_WINDOW = 5;
const OLD_TIMESTAMP_SECONDS = 3_600;
const RECENT_ATTEMPTS = 1_000;
/** An API version no receiver of today is made for. */
const FOREIGN_VERSION = '2020-08-27';

export interface DeliveryAttempt {
  event: string;
  type: string;
  endpoint: string;
  attempt: number;
  status: number | null;
  fault: string | null;
}

interface Parcel extends Announcement {
  /** How this copy is spoilt, if it is. */
  fault?: ArmedWebhookFault | undefined;
  /** A copy beside the delivery proper: its failure is nobody's concern. */
  extra?: boolean;
}

/** Tells endpoints what happened, again and again until they answer 2xx. */
export class WebhookDelivery {
  readonly recent: DeliveryAttempt[] = [];
  readonly #world: World;
  readonly #faults: WebhookFaults;
  readonly #common: { url: string; secret: string } | undefined;
  readonly #agents = {
    http: new http.Agent({ keepAlive: true, maxSockets: CONCURRENCY }),
    https: new https.Agent({ keepAlive: true, maxSockets: CONCURRENCY }),
  };
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #held = new Map<string, Parcel[]>();
  #line: Parcel[] = [];
  #underWay = 0;
  #closed = false;

  constructor(world: World, faults: WebhookFaults, common: { url: string; secret: string } | undefined) {
    this.#world = world;
    this.#faults = faults;
    this.#common = common;
    world.onCommit(() => {
      for (const announcement of world.announcements.splice(0)) this.dispatch(announcement);
    });
  }

  /** Takes up what a simulator before this one had not delivered. */
  resume(): void {
    for (const account of this.#world.accounts()) {
      for (const delivery of account.all('deliveries').oldestFirst()) {
        const event = delivery.state === 'pending' ? account.find('events', delivery.event) : undefined;
        if (event !== undefined) this.dispatch({ account, event, endpoint: delivery.endpoint });
      }
    }
  }

  /** Puts one attempt in line, the way the faults that are set want it. */
  dispatch(announcement: Announcement): void {
    const { event, account } = announcement;
    const struck = this.#faults.strike({ type: event.type, account: account.id, object: event.data.object.id });
    const fault = struck?.fault;
    switch (fault?.action) {
      case undefined:
        this.#enqueue(announcement);
        return;
      case 'duplicate':
        this.#enqueue({ ...announcement, fault });
        if (this.#isFirst(announcement)) {
          for (let copy = 0; copy < (fault.times ?? 1); copy++) this.#enqueue({ ...announcement, fault, extra: true });
        }
        return;
      case 'twin':
        this.#enqueue(announcement);
        if (this.#isFirst(announcement)) this.#enqueueTwin(announcement);
        return;
      case 'delay':
        this.#later(fault.ms ?? 1_000, () => this.#enqueue({ ...announcement, fault }));
        return;
      case 'drop':
        this.#note(announcement, fault, null);
        this.#save(announcement, { state: 'failed' });
        return;
      case 'reorder':
        this.#hold(fault, { ...announcement, fault }, struck?.random ?? Math.random);
        return;
      case 'forge':
      case 'tamper':
      case 'old_timestamp':
      case 'wrong_version':
      case 'thin':
        this.#enqueue({ ...announcement, fault });
        return;
    }
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#line = [];
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #enqueue(parcel: Parcel): void {
    this.#line.push(parcel);
    this.#pump();
  }

  #pump(): void {
    while (!this.#closed && this.#underWay < CONCURRENCY) {
      const parcel = this.#line.shift();
      if (parcel === undefined) return;
      this.#underWay++;
      void this.#attempt(parcel)
        .catch((error: unknown) => console.error(`delivery of ${parcel.event.id} failed:`, error))
        .finally(() => {
          this.#underWay--;
          this.#pump();
        });
    }
  }

  async #attempt(parcel: Parcel): Promise<void> {
    const target = this.#target(parcel.account, parcel.endpoint);
    if (target === undefined) return;
    const payload = payloadOf(parcel);
    const age = parcel.fault?.action === 'old_timestamp' ? (parcel.fault.ageSeconds ?? OLD_TIMESTAMP_SECONDS) : 0;
    const secret = parcel.fault?.action === 'forge' ? `whsec_forged_${newId('x')}` : target.secret;
    // Signed by the wall clock: the receiver compares with its own.
    const signature = signatureHeader(payload, secret, Math.floor(Date.now() / 1000) - age);
    const sent = parcel.fault?.action === 'tamper' ? payload.replace('"livemode":false', '"livemode":true') : payload;
    const status = await post(target.url, sent, signature, this.#agents);
    if (this.#closed) return;
    this.#note(parcel, parcel.fault, status);
    this.#concluded(parcel, status !== null && status >= 200 && status < 300);
  }

  #concluded(parcel: Parcel, accepted: boolean): void {
    const delivery = parcel.account.find('deliveries', deliveryId(parcel.event.id, parcel.endpoint));
    // A copy may come second; what was delivered stays so. What was given up may still be sent on demand, once.
    if (delivery === undefined || delivery.state === 'delivered' || (parcel.extra === true && !accepted)) return;
    const attempts = delivery.attempts + 1;
    const isOver = delivery.state === 'failed' || attempts >= ATTEMPTS_MAX;
    const state = accepted ? 'delivered' : isOver ? 'failed' : 'pending';
    this.#save(parcel, { state, attempts });
    if (state !== 'pending') return;
    const backoffMs = Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** Math.min(attempts - 1, 10));
    const { account, event, endpoint } = parcel;
    this.#later(backoffMs * (0.8 + 0.4 * Math.random()), () => this.dispatch({ account, event, endpoint }));
  }

  /** Undefined once the endpoint is gone or disabled, or its account was reset: then nobody is told any more. */
  #target(account: Account, endpoint: string): { url: string; secret: string } | undefined {
    if (this.#world.accountById(account.id) !== account) return undefined;
    if (endpoint === COMMON_ENDPOINT) return this.#common;
    const registered = account.find('webhook_endpoints', endpoint);
    const secret = account.find('webhook_endpoint_secrets', endpoint)?.secret;
    return registered?.status === 'enabled' && secret !== undefined ? { url: registered.url, secret } : undefined;
  }

  /** Copies are made once: made at every retry, they would multiply while a receiver is down. */
  #isFirst({ account, event, endpoint }: Announcement): boolean {
    return account.find('deliveries', deliveryId(event.id, endpoint))?.attempts === 0;
  }

  #enqueueTwin({ account, event, endpoint }: Announcement): void {
    const twin = account.save('events', { ...event, id: newId('evt') });
    account.save('deliveries', {
      id: deliveryId(twin.id, endpoint),
      created: twin.created,
      event: twin.id,
      endpoint,
      state: 'pending',
      attempts: 0,
    });
    // A simulator that is killed has told nobody of what it does not know afterwards.
    this.#world.commit();
    this.#enqueue({ account, event: twin, endpoint });
  }

  #hold(fault: ArmedWebhookFault, parcel: Parcel, random: () => number): void {
    const held = this.#held.get(fault.id) ?? [];
    held.push(parcel);
    this.#held.set(fault.id, held);
    if (held.length === 1) this.#later(fault.ms ?? REORDER_WAIT_MS, () => this.#release(fault.id, random));
    if (held.length >= (fault.window ?? REORDER_WINDOW)) this.#release(fault.id, random);
  }

  #release(faultId: string, random: () => number): void {
    const held = this.#held.get(faultId) ?? [];
    this.#held.delete(faultId);
    for (const parcel of shuffled(held, random)) this.#enqueue(parcel);
  }

  #save({ account, event, endpoint }: Announcement, change: Partial<Pick<Delivery, 'state' | 'attempts'>>): void {
    const delivery = account.find('deliveries', deliveryId(event.id, endpoint));
    if (delivery === undefined) return;
    account.save('deliveries', { ...delivery, ...change });
    this.#world.commit();
  }

  #note({ event, endpoint, account }: Announcement, fault: ArmedWebhookFault | undefined, status: number | null): void {
    const attempt = (account.find('deliveries', deliveryId(event.id, endpoint))?.attempts ?? 0) + 1;
    this.recent.push({ event: event.id, type: event.type, endpoint, attempt, status, fault: fault?.action ?? null });
    if (this.recent.length > RECENT_ATTEMPTS) this.recent.shift();
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) run();
    }, ms);
    this.#timers.add(timer);
  }
}

function payloadOf({ account, event, endpoint, fault }: Parcel): string {
  const version = account.find('webhook_endpoints', endpoint)?.api_version ?? event.api_version;
  if (fault?.action === 'thin') return JSON.stringify(thinNotification(event));
  return JSON.stringify({ ...shownEvent(account, event), api_version: fault?.action === 'wrong_version' ? FOREIGN_VERSION : version });
}

function thinNotification(event: StripeEvent): object {
  const { id, object } = event.data.object;
  return {
    id: event.id,
    object: 'v2.core.event',
    type: `v1.${event.type}`,
    livemode: false,
    created: new Date(event.created * 1000).toISOString(),
    context: null,
    related_object: { id, type: object, url: `/v1/${object}s/${id}` },
    reason: null,
  };
}

/** Another order than the given one wherever there is another. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed.length > 1 && mixed.every((item, index) => item === items[index]) ? mixed.reverse() : mixed;
}
