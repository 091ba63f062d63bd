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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSameKind(answer: string, example: string): boolean {
  return KINDS.some((kind) => {
    const prefix = kind.exec(example)?.[1];
    return prefix !== undefined && kind.exec(answer)?.[1] === prefix;
  });
}
