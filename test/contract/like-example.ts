/** What an example stands for where every answer has another: an id, an instant, a secret, an address. */
const KINDS: readonly RegExp[] = [
  /^(ord|pay|ref|op|oev|rec|aud)_[0-9a-hjkmnp-tv-z]{26}$/,
  /^(ord)_[0-9a-hjkmnp-tv-z]{26}_secret_[\w-]+$/,
  /^(pi)_\w+_secret_\w+$/,
  /^(oncepay_[srp]k_test)_[0-9a-z]+_[\w-]+$/,
  /^(pi|re|evt|cs|cus|pm|key|req)_[\w-]+$/,
  /^()[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  /^()\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  /^()https?:\/\/\S+$/,
];

/**
 * In what an answer differs from its example, as `path: what`; empty when it has the same keys and JSON types, and the same values
 * where they are not of a kind of which every answer has its own. `varying` names members of which only the presence counts.
 */
export function unlike(answer: unknown, example: unknown, varying: ReadonlySet<string>, path = '$'): readonly string[] {
  if (Array.isArray(answer) && Array.isArray(example)) {
    // A list may be longer than its example, never empty where that is not.
    if (answer.length < example.length) return [`${path}: ${answer.length} members, the example has ${example.length}`];
    return example.flatMap((member, index) => unlike(answer[index], member, varying, `${path}[${index}]`));
  }
  if (isObject(answer) && isObject(example)) {
    const names = new Set([...Object.keys(answer), ...Object.keys(example)]);
    return [...names].flatMap((name) => {
      if (!(name in answer)) return [`${path}.${name}: is missing`];
      if (!(name in example)) return [`${path}.${name}: the example does not have it`];
      return varying.has(name) ? [] : unlike(answer[name], example[name], varying, `${path}.${name}`);
    });
  }
  if (answer === example || (typeof answer === 'string' && typeof example === 'string' && isSameKind(answer, example))) return [];
  return [`${path}: ${JSON.stringify(answer)}, the example has ${JSON.stringify(example)}`];
}

/** In what a text differs from its example: each of the example's lines must be there, in their order; others may stand between. */
export function unlikeText(answer: string, example: string): readonly string[] {
  const lines = linesOf(answer);
  let from = 0;
  return linesOf(example).flatMap((line) => {
    const at = lines.findIndex((other, index) => index >= from && isLikeLine(other, line));
    if (at < 0) return [`no line is ${line}`];
    from = at + 1;
    return [];
  });
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** In an event stream, what stands behind the name of a field is a value as those of JSON are. */
function isLikeLine(answer: string, example: string): boolean {
  if (answer === example) return true;
  const [given, shown] = [answer, example].map((line) => /^(id|data): (.*)$/.exec(line));
  return given?.[1] !== undefined && given[1] === shown?.[1] && unlike(valueOf(given[2]), valueOf(shown[2]), new Set()).length === 0;
}

function valueOf(text = ''): unknown {
  return text.startsWith('{') ? JSON.parse(text) : text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSameKind(answer: string, example: string): boolean {
  return KINDS.some((kind) => {
    const prefix = kind.exec(example)?.[1];
    return prefix !== undefined && kind.exec(answer)?.[1] === prefix;
  });
}
