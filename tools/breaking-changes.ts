type Json = Readonly<Record<string, unknown>>;

const JSON_TYPE = 'application/json';
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

/** Bounds of what may be sent: fewer requests pass when one of the first is lower or new, one of the second higher or new, the third another. */
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const FORMS = ['pattern', 'format'];

/**
 * What of a later OpenAPI document breaks a client of an earlier one: an operation, parameter, member or media type that is gone, something
 * that has become required, a type that is another, a value that is taken no longer, a bound that is tighter, a route that is closed to
 * callers it was open to. Returns one sentence each.
 */
export function breakingChanges(before: Json, after: Json): readonly string[] {
  return Object.entries(inside(before, 'paths')).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in inside(methods)).flatMap((method) => {
      const name = `${method.toUpperCase()} ${path}`;
      const [old, now] = [inside(methods, method), inside(after, 'paths', path, method)];
      if (Object.keys(now).length === 0) return [`${name} is gone`];
      return [
        ...policyChanges(old, now),
        ...parameterChanges([before, old], [after, now]),
        ...schemaChanges([before, bodyOf(old)], [after, bodyOf(now)], 'the body', 'request'),
        ...answerChanges([before, old], [after, now]),
      ].map((change) => `${name}: ${change}`);
    }),
  );
}

/** A schema with the document its references point into. */
type Within = readonly [document: Json, value: Json];

function policyChanges(old: Json, now: Json): readonly string[] {
  const [scope, needed] = [scopeOf(old), scopeOf(now)];
  const isClosed = now['x-oncepay-secret-only'] === true && old['x-oncepay-secret-only'] !== true;
  return [
    ...(needed === scope || needed === 'public' ? [] : [`it needs the scope ${needed} and was open to ${scope}`]),
    ...(isClosed ? ['it is closed to publishable keys now'] : []),
  ];
}

function scopeOf({ 'x-oncepay-scope': scope }: Json): string {
  return typeof scope === 'string' ? scope : 'public';
}

function parameterChanges([before, old]: Within, [after, now]: Within): readonly string[] {
  const byName = (operation: Json): ReadonlyMap<string, Json> =>
    new Map(listIn(operation, 'parameters').map((parameter) => [`${String(parameter['in'])} ${String(parameter['name'])}`, parameter]));
  const [known, present] = [byName(old), byName(now)];
  return [
    ...[...known.keys()].filter((name) => !present.has(name)).map((name) => `the parameter ${name} is gone`),
    ...[...present].flatMap(([name, parameter]) => {
      const earlier = known.get(name) ?? {};
      return [
        ...(parameter['required'] === true && earlier['required'] !== true ? [`the parameter ${name} is required now`] : []),
        ...schemaChanges([before, inside(earlier, 'schema')], [after, inside(parameter, 'schema')], `the parameter ${name}`, 'request'),
      ];
    }),
  ];
}

function answerChanges([before, old]: Within, [after, now]: Within): readonly string[] {
  return Object.entries(inside(old, 'responses')).flatMap(([status, answer]) => {
    if (!status.startsWith('2')) return [];
    const [was, is] = [inside(answer), inside(now, 'responses', status)];
    if (Object.keys(is).length === 0) return [`the answer ${status} is gone`];
    const gone = Object.keys(inside(was, 'content')).filter((type) => !(type in inside(is, 'content')));
    return [
      ...gone.map((type) => `the answer ${status} is never ${type} now`),
      ...(gone.includes(JSON_TYPE) ? [] : schemaChanges([before, schemaIn(was)], [after, schemaIn(is)], `the answer ${status}`, 'answer')),
    ];
  });
}

/** A request may ask for less and an answer may give more, never the other way round. */
function schemaChanges(before: Within, after: Within, where: string, side: 'request' | 'answer', depth = 0): readonly string[] {
  const [old, now] = [resolved(before), resolved(after)];
  if (Object.keys(old).length === 0 || depth > 8) return [];
  const changes: string[] = [];
  // Who takes any number takes a whole one.
  const isNarrower = side === 'answer' && typesOf(old).replace('number', 'integer') === typesOf(now);
  if (typesOf(old) !== typesOf(now) && !isNarrower) changes.push(`${where} is ${typesOf(now)} and was ${typesOf(old)}`);
  if (side === 'request') changes.push(...narrowings(old, now).map((change) => `${where} ${change}`));
  const [needed, needs] = [namesIn(old), namesIn(now)];
  if (side === 'request') changes.push(...needs.filter((name) => !needed.includes(name)).map((name) => `${where}.${name} is required now`));
  else
    changes.push(
      ...needed
        .filter((name) => !needs.includes(name) && name in inside(now, 'properties'))
        .map((name) => `${where}.${name} may be absent now`),
    );
  for (const [name, schema] of Object.entries(inside(old, 'properties'))) {
    const member = inside(now, 'properties', name);
    if (!(name in inside(now, 'properties'))) changes.push(`${where}.${name} is gone`);
    else changes.push(...schemaChanges([before[0], inside(schema)], [after[0], member], `${where}.${name}`, side, depth + 1));
  }
  if ('items' in old)
    changes.push(...schemaChanges([before[0], inside(old, 'items')], [after[0], inside(now, 'items')], `${where}[]`, side, depth + 1));
  return changes;
}

/** Which values that an earlier schema of a request took a later one does not. */
function narrowings(old: Json, now: Json): readonly string[] {
  const [taken, takes] = [valuesIn(old), valuesIn(now)];
  const tighter = (bounds: readonly string[], sign: 1 | -1): readonly string[] =>
    bounds.filter((bound) => typeof now[bound] === 'number' && sign * now[bound] > sign * Number(old[bound] ?? -sign * Infinity));
  return [
    ...(takes.length === 0 ? [] : taken.filter((value) => !takes.includes(value)).map((value) => `may not be ${value} any more`)),
    ...(takes.length > 0 && taken.length === 0 ? [`may only be ${takes.join(' or ')} now`] : []),
    ...[...tighter(UPPER, -1), ...tighter(LOWER, 1), ...FORMS.filter((form) => form in now && now[form] !== old[form])].map(
      (bound) => `has the ${bound} ${String(now[bound])} now`,
    ),
  ];
}

function resolved([document, schema]: Within): Json {
  const reference = schema['$ref'];
  if (typeof reference === 'string') return resolved([document, inside(document, ...reference.split('/').slice(1))]);
  const [first] = [...listIn(schema, 'allOf'), ...listIn(schema, 'anyOf'), ...listIn(schema, 'oneOf')];
  return first === undefined ? schema : resolved([document, first]);
}

function bodyOf(operation: Json): Json {
  return schemaIn(inside(operation, 'requestBody'));
}

function schemaIn(holder: Json): Json {
  return inside(holder, 'content', JSON_TYPE, 'schema');
}

function typesOf({ type }: Json): string {
  return Array.isArray(type) ? type.map(String).toSorted().join(' or ') : typeof type === 'string' ? type : 'anything';
}

function valuesIn(schema: Json): readonly string[] {
  return Array.isArray(schema['enum']) ? schema['enum'].map(String) : [];
}

function namesIn(schema: Json): readonly string[] {
  return Array.isArray(schema['required']) ? schema['required'].map(String) : [];
}

function listIn(value: Json, name: string): readonly Json[] {
  const list = value[name];
  return Array.isArray(list) ? list.map((member: unknown) => inside(member)) : [];
}

/** The object at a path, empty where there is none. */
function inside(value: unknown, ...path: readonly string[]): Json {
  const [name, ...rest] = path;
  if (typeof value !== 'object' || value === null) return {};
  return name === undefined ? { ...value } : inside(Reflect.get(value, name), ...rest);
}
