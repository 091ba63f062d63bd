/** What every kept object has: an id, and when it was made (seconds, virtual clock). */
export interface Stored {
  readonly id: string;
  readonly created: number;
}

export interface PageRequest<T> {
  limit: number;
  startingAfter?: string | undefined;
  endingBefore?: string | undefined;
  /** Equality on an indexed field narrows the walk; the filter alone decides what belongs. */
  where?: { field: keyof T & string; value: string } | undefined;
  filter: (item: T) => boolean;
  createdFrom?: number | undefined;
}

export interface Page<T> {
  data: T[];
  hasMore: boolean;
}

/**
 * Objects of one kind in the order they were made. Objects are never changed in place: an update puts a new version
 * under the same id, so an event can keep the version it was made from without a copy.
 */
export class Collection<T extends Stored> {
  readonly #items: (T | undefined)[] = [];
  readonly #positions = new Map<string, number>();
  readonly #indexes = new Map<string, Map<string, number[]>>();

  constructor(indexedFields: readonly (keyof T & string)[] = []) {
    for (const field of indexedFields) this.#indexes.set(field, new Map());
  }

  get(id: string): T | undefined {
    const position = this.#positions.get(id);
    return position === undefined ? undefined : this.#items[position];
  }

  put(item: T): void {
    const known = this.#positions.get(item.id);
    const position = known ?? this.#items.length;
    const before = known === undefined ? undefined : this.#items[known];
    this.#items[position] = item;
    this.#positions.set(item.id, position);
    for (const [field, index] of this.#indexes) {
      const value = fieldOf(item, field);
      if (value !== undefined && (before === undefined || fieldOf(before, field) !== value)) insertSorted(index, value, position);
    }
  }

  remove(id: string): void {
    const position = this.#positions.get(id);
    if (position === undefined) return;
    this.#items[position] = undefined;
    this.#positions.delete(id);
  }

  *oldestFirst(): Generator<T> {
    for (const item of this.#items) if (item !== undefined) yield item;
  }

  /** Newest first. An id in `startingAfter` or `endingBefore` that is not here gives `undefined`. */
  page(request: PageRequest<T>): Page<T> | undefined {
    const cursor = request.startingAfter ?? request.endingBefore;
    const cursorPosition = cursor === undefined ? undefined : this.#positions.get(cursor);
    if (cursor !== undefined && cursorPosition === undefined) return undefined;
    const candidates = this.#candidates(request.where);
    const size = candidates?.length ?? this.#items.length;
    // A step is an index into the candidates, or straight into the items where no index applies.
    const at = (step: number): T | undefined => this.#items[candidates === undefined ? step : (candidates[step] ?? -1)];
    const found: T[] = [];
    const stepOf = (position: number): number => (candidates === undefined ? position : lowerBound(candidates, position));
    if (request.endingBefore === undefined) {
      const first = cursorPosition === undefined ? size - 1 : stepOf(cursorPosition) - 1;
      for (let step = first; step >= 0 && found.length <= request.limit; step--) {
        const item = at(step);
        if (item === undefined) continue;
        if (request.createdFrom !== undefined && item.created < request.createdFrom) break;
        if (request.filter(item)) found.push(item);
      }
      return { data: found.slice(0, request.limit), hasMore: found.length > request.limit };
    }
    for (let step = stepOf((cursorPosition ?? 0) + 1); step < size && found.length <= request.limit; step++) {
      const item = at(step);
      if (item !== undefined && request.filter(item)) found.push(item);
    }
    return { data: found.slice(0, request.limit).reverse(), hasMore: found.length > request.limit };
  }

  #candidates(where: PageRequest<T>['where']): readonly number[] | undefined {
    const index = where === undefined ? undefined : this.#indexes.get(where.field);
    return where === undefined || index === undefined ? undefined : (index.get(where.value) ?? []);
  }
}

function fieldOf(item: object, field: string): string | undefined {
  const value: unknown = Reflect.get(item, field);
  return typeof value === 'string' ? value : undefined;
}

function insertSorted(index: Map<string, number[]>, value: string, position: number): void {
  const positions = index.get(value);
  if (positions === undefined) {
    index.set(value, [position]);
    return;
  }
  const place = lowerBound(positions, position);
  if (positions[place] !== position) positions.splice(place, 0, position);
}

/** The first place whose value is not below `target`. */
function lowerBound(sorted: readonly number[], target: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < target) low = middle + 1;
    else high = middle;
  }
  return low;
}
