import { type KeyStorage, memoryStorage } from './storage.js';

// What is used of IndexedDB, so that this compiles where there are no types of browsers. Source: W3C, Indexed Database API 3.0.
interface Factory {
  open(name: string, version: number): Request<Connection>;
}
interface Request<T> extends EventTarget {
  readonly result: T;
  readonly error: Error | null;
}
interface Connection {
  createObjectStore(name: string): unknown;
  transaction(store: string, mode: Mode): Transaction;
}
interface Transaction extends EventTarget {
  readonly error: Error | null;
  objectStore(name: string): Store;
}
interface Store {
  get(name: string): Request<unknown>;
  put(value: string, name: string): Request<unknown>;
  delete(name: string): Request<unknown>;
}
type Mode = 'readonly' | 'readwrite';

const DATABASE = 'oncepay';
const STORE = 'deeds';

/**
 * What all pages of an origin share. IndexedDB and not `localStorage`, of which every process of a browser has a copy that is brought up to
 * date some time later: two tabs would read past each other. Where pages may not keep anything, memory, which ends with the page.
 */
export function pageStorage(): KeyStorage | null {
  if (!('indexedDB' in globalThis)) return null;
  const memory = memoryStorage();
  // Asked for once: what was begun in memory must not be looked for elsewhere.
  let opened: Promise<Connection | null> | null = null;
  const connection = (): Promise<Connection | null> => (opened ??= open().catch(() => null));
  return {
    getItem: async (name) => {
      const kept = await connection();
      if (kept === null) return memory.getItem(name);
      const value = await run(kept, 'readonly', (store) => store.get(name));
      return typeof value === 'string' ? value : null;
    },
    setItem: async (name, value) => {
      const kept = await connection();
      if (kept === null) return memory.setItem(name, value);
      await run(kept, 'readwrite', (store) => store.put(value, name));
    },
    removeItem: async (name) => {
      const kept = await connection();
      if (kept === null) return memory.removeItem(name);
      await run(kept, 'readwrite', (store) => store.delete(name));
    },
  };
}

function open(): Promise<Connection> {
  return new Promise((resolve, reject) => {
    // Some browsers throw as soon as a page that may keep nothing looks at it.
    const request = (Reflect.get(globalThis, 'indexedDB') as Factory).open(DATABASE, 1);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE));
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('The browser keeps nothing for this page.')));
  });
}

/** Resolves when it is kept, not before. */
function run(connection: Connection, mode: Mode, act: (store: Store) => Request<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const transaction = connection.transaction(STORE, mode);
    const request = act(transaction.objectStore(STORE));
    transaction.addEventListener('complete', () => resolve(request.result));
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('The browser could not keep it.')));
  });
}
