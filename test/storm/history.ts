import { type AccountNumber } from './secrets.js';

/** What a buyer was answered, as far as the rules speak of it. */
export interface Answer {
  readonly status: number;
  /** SHA-256 of the body, in hex. */
  readonly digest: string;
  readonly location: string | null;
  readonly isReplay: boolean;
  /** The problem's code; null of a success. */
  readonly code: string | null;
}

/** One request as its sender saw it. Without an answer it may have been carried out or not. */
export interface Attempt {
  readonly invokedAt: number;
  readonly endedAt: number;
  readonly answer: Answer | null;
}

export type Verb = 'create' | 'pay' | 'capture' | 'cancel' | 'refund';

/** One command: all requests under one idempotency key of one caller. */
export interface Command {
  readonly account: AccountNumber;
  readonly audience: 'secret' | 'publishable';
  readonly key: string;
  readonly verb: Verb;
  readonly path: string;
  readonly body: string;
  /** What is asked for, in minor units; null where the command names none. */
  readonly amount: number | null;
  /** Of a new order. */
  readonly currency: string | null;
  readonly attempts: Attempt[];
  /** Answers to another request under the same key, sent once this one was acknowledged. */
  readonly otherRequests: Attempt[];
}

/** What a buyer knows of an order. */
export interface KnownOrder {
  readonly id: string;
  readonly account: AccountNumber;
  readonly amount: number;
  readonly currency: string;
  /** Its statuses, as they were read one after another. */
  readonly statuses: string[];
}

/** A request for what belongs to the other account. */
export interface Trespass {
  readonly what: string;
  readonly isRefused: boolean;
  /** What was answered, in short. */
  readonly answer: string;
}

/** Everything the buyers did and were told: all that the oracle knows of the API. */
export class History {
  readonly commands: Command[] = [];
  readonly orders = new Map<string, KnownOrder>();
  readonly trespasses: Trespass[] = [];

  begin(command: Omit<Command, 'attempts' | 'otherRequests'>): Command {
    const begun: Command = { ...command, attempts: [], otherRequests: [] };
    this.commands.push(begun);
    return begun;
  }
}

/** The first acknowledgement of a command; null while nobody acknowledged it. */
export function acknowledged({ attempts }: Command): Answer | null {
  return attempts.find(({ answer }) => answer !== null && answer.status < 300)?.answer ?? null;
}
