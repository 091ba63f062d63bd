type Json = Readonly<Record<string, unknown>>;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

/**
 * What of a later OpenAPI document breaks a client of an earlier one: an operation, parameter or member that is gone, something that
 * has become required, a type that is another, a value that is taken no longer. Returns one sentence each.
 */
export function breakingChanges(before: Json, after: Json): readonly string[] {
  return Object.entries(inside(before, 'paths')).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in inside(methods)).flatMap((method) => {
      const name = `${method.toUpperCase()} ${path}`;
      const [old, now] = [inside(methods, method), inside(after, 'paths', path, method)];
      if (Object.keys(now).length === 0) return [`${name} is gone`];
      return [
        ...parameterChanges(old, now).map((change) => `${name}: ${change}`),
        ...schemaChanges([before, bodyOf(old)], [after, bodyOf(now)], 'the body', 'request').map((change) => `${name}: ${change}`),
        ...answerChanges([before, old], [after, now]).map((change) => `${name}: ${change}`),
      ];
    }),
  );
}

/** A schema with the document its references point into. */
type Within = readonly [document: Json, value: Json];

function parameterChanges(old: Json, now: Json): readonly string[] {
  const byName = (operation: Json): ReadonlyMap<string, Json> =>
    new Map(listIn(operation, 'parameters').map((parameter) => [`${String(parameter['in'])} ${String(parameter['name'])}`, parameter]));
  const [known, present] = [byName(old), byName(now)];
  return [
    ...[...known.keys()].filter((name) => !present.has(name)).map((name) => `the parameter ${name} is gone`),
    ...[...present]
      .filter(([name, { required }]) => required === true && known.get(name)?.['required'] !== true)
      .map(([name]) => `the parameter ${name} is required now`),
  ];
}

function answerChanges([before, old]: Within, [after, now]: Within): readonly string[] {
  return Object.entries(inside(old, 'responses')).flatMap(([status, answer]) => {
    if (!status.startsWith('2')) return [];
    const [was, is] = [inside(answer), inside(now, 'responses', status)];
    if (Object.keys(is).length === 0) return [`the answer ${status} is gone`];
    return schemaChanges([before, schemaIn(was)], [after, schemaIn(is)], `the answer ${status}`, 'answer');
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
  const [taken, takes] = [valuesIn(old), valuesIn(now)];
  if (side === 'request' && takes.length > 0)
    changes.push(...taken.filter((value) => !takes.includes(value)).map((value) => `${where} may not be ${value} any more`));
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
  return inside(holder, 'content', 'application/json', 'schema');
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
