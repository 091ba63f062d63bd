import type { Keeper } from './state-file.js';

/** What can become due by the passing of (virtual) time. */
export type TaskKind =
  | 'fill_balance_transaction'
  | 'lapse_authorization'
  | 'settle_payment'
  | 'settle_refund'
  | 'open_dispute'
  | 'expire_session';

export interface Task {
  id: string;
  account: string;
  kind: TaskKind;
  /** The object it is about. */
  subject: string;
  /** How it ends, where that was decided beforehand. */
  outcome: string | null;
  /** Milliseconds on the virtual clock. */
  dueAtMs: number;
}

export interface TaskChange {
  done: boolean;
  task: Task;
}

/** Tasks in the order they fall due. A task whose object has moved on meanwhile finds nothing to do. */
export class Schedule implements Keeper {
  readonly topic = 'task';
  #tasks: Task[] = [];

  add(task: Task): void {
    this.#tasks.splice(this.#placeAfter(task.dueAtMs), 0, task);
  }

  nextDueAtMs(): number | undefined {
    return this.#tasks[0]?.dueAtMs;
  }

  takeDue(nowMs: number): Task | undefined {
    const first = this.#tasks[0];
    return first !== undefined && first.dueAtMs <= nowMs ? this.#tasks.shift() : undefined;
  }

  clear(account?: string): void {
    this.#tasks = account === undefined ? [] : this.#tasks.filter((task) => task.account !== account);
  }

  restore(change: unknown): void {
    const { done, task } = change as TaskChange;
    if (!done) {
      this.add(task);
      return;
    }
    for (let place = this.#placeAfter(task.dueAtMs) - 1; place >= 0; place--) {
      if (this.#tasks[place]?.id === task.id) {
        this.#tasks.splice(place, 1);
        return;
      }
    }
  }

  *snapshot(): Generator<TaskChange> {
    for (const task of this.#tasks) yield { done: false, task };
  }

  #placeAfter(dueAtMs: number): number {
    let low = 0;
    let high = this.#tasks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#tasks[middle]?.dueAtMs ?? 0) <= dueAtMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
