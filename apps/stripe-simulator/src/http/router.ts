/** Finds what serves a method and a path; `:name` in a pattern stands for one segment. */
export class Router<T extends { method: string; path: string }> {
  readonly #byShape = new Map<string, T[]>();

  constructor(routes: readonly T[]) {
    for (const route of routes) {
      const shape = shapeOf(route.method, route.path);
      this.#byShape.set(shape, [...(this.#byShape.get(shape) ?? []), route]);
    }
    // A literal segment is more particular than `:id`, so `/search` is tried before `/:id`.
    for (const candidates of this.#byShape.values()) candidates.sort((a, b) => placeholders(a.path) - placeholders(b.path));
  }

  find(method: string, path: string): { route: T; ids: string[] } | undefined {
    for (const route of this.#byShape.get(shapeOf(method, path)) ?? []) {
      const ids = matchPath(route.path, path);
      if (ids !== undefined) return { route, ids };
    }
    return undefined;
  }
}

/** The segments standing for `:name`, or undefined where the path is another one. */
function matchPath(pattern: string, path: string): string[] | undefined {
  const expected = pattern.split('/');
  const actual = path.split('/');
  if (expected.length !== actual.length) return undefined;
  const ids: string[] = [];
  for (const [position, segment] of expected.entries()) {
    const given = actual[position] ?? '';
    if (segment.startsWith(':') && given !== '') ids.push(decodeSegment(given));
    else if (segment !== given) return undefined;
  }
  return ids;
}

function shapeOf(method: string, path: string): string {
  return `${method} ${path.split('/').length}`;
}

function placeholders(path: string): number {
  return path.split('/:').length;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
