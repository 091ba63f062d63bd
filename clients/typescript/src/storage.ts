/** Where keys are kept before requests are sent: anything that maps texts to texts. */
export interface KeyStorage {
  getItem(name: string): string | null | Promise<string | null>;
  setItem(name: string, value: string): void | Promise<void>;
  removeItem(name: string): void | Promise<void>;
}

/** What is kept of a deed until its name is forgotten: sending it again is what makes it happen once. */
export interface Deed {
  readonly key: string;
  readonly path: string;
  /** The very text that was sent: under its key, no other may follow. */
  readonly body: string;
}

/** Apart from what else a page keeps. */
const PREFIX = 'oncepay:';

/** The deeds that were begun, each under the name its caller gave it. */
export class Deeds {
  constructor(private readonly storage: KeyStorage) {}

  /**
   * The stored deed of this name if it is the same request, else a new one, stored under a new key. Callers in other tabs and calls
   * at the same time get the same one. Rejects when it cannot be stored; nothing may be sent then.
   */
  begin(name: string, path: string, body: string): Promise<Deed> {
    return alone(PREFIX + name, async () => {
      const stored = await this.find(name);
      if (stored !== null && stored.path === path && stored.body === body) return stored;
      const deed: Deed = { key: randomKey(), path, body };
      await this.storage.setItem(PREFIX + name, JSON.stringify(deed));
      return deed;
    });
  }

  /** The stored deed of this name; null without one. */
  async find(name: string): Promise<Deed | null> {
    return deedOf(await this.storage.getItem(PREFIX + name));
  }

  /** Forgets a deed. Not if another has taken its name since; safe to repeat. */
  forget(name: string, key: string): Promise<void> {
    return alone(PREFIX + name, async () => {
      if ((await this.find(name))?.key === key) await this.storage.removeItem(PREFIX + name);
    });
  }
}

/** Keeps keys as long as the process lives. */
export function memoryStorage(): KeyStorage {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  };
}

/** Without the rest of UUIDs, 244 random bits: whoever guessed a key could read the answer kept under it. */
function randomKey(): string {
  // Not crypto.randomUUID(), which pages on plain HTTP lack.
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** null: nothing there, or nothing that this client has written. */
function deedOf(text: string | null): Deed | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isDeed(value) ? value : null;
  } catch {
    return null;
  }
}

function isDeed(value: unknown): value is Deed {
  if (typeof value !== 'object' || value === null) return false;
  return ['key', 'path', 'body'].every((field) => typeof Reflect.get(value, field) === 'string');
}

const queues = new Map<string, Promise<unknown>>();

/** Runs `work` when no other of this name runs: in no tab of the origin where the browser has locks, else in this process. */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = (Reflect.get(globalThis, 'navigator') as { locks?: Locks } | undefined)?.locks;
  let hasBegun = false;
  const begin = (): Promise<T> => {
    hasBegun = true;
    return work();
  };
  try {
    if (locks !== undefined) return await locks.request(name, begin);
  } catch (error) {
    if (hasBegun) throw error;
    // A page that may not keep anything, in a sandboxed frame say, has no locks either and shares with no tab.
  }
  const turn = (queues.get(name) ?? Promise.resolve()).then(work);
  const settled = turn.catch(() => undefined);
  queues.set(name, settled);
  try {
    return await turn;
  } finally {
    if (queues.get(name) === settled) queues.delete(name);
  }
}

interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}
