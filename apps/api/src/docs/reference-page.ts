import { type OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS } from '../http/problem-catalogue.js';
import { html, type Html, joined, json, prose } from './html.js';
import { rowsOf, type Schema } from './schema-rows.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Schemas = Readonly<Record<string, Schema>>;

interface Documented {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** What holds for every operation, in the order in which a newcomer needs it. */
const CONVENTIONS: readonly (readonly [term: string, text: string])[] = [
  [
    'Who is calling',
    '`Authorization: Bearer oncepay_sk_…`, a secret key, or a token of a configured issuer. Pages have a publishable key, `oncepay_pk_…`: ' +
      'it orders from the catalogue, never names an amount, and reads an order with the header `Oncepay-Client-Secret`.',
  ],
  [
    'Once',
    'Every POST that changes something takes an `Idempotency-Key`: make it once, store it before you send, and send it with every retry. ' +
      'The same request is answered with the same bytes and `Idempotency-Replayed: true`; another one under the key is refused.',
  ],
  [
    'Waiting',
    'Stripe is asked by a worker, so an order begins as `pending`. `Prefer: wait=10` holds the answer until nothing is under way; ' +
      '`Accept: text/event-stream` follows the timeline, and `Last-Event-ID` goes on where a connection broke.',
  ],
  ['Amounts and times', 'Integers in the smallest unit of the currency, as Stripe counts them. RFC 3339 in UTC.'],
  ['Conditions', 'What is read has an `ETag`. `If-None-Match` saves the body while nothing has changed.'],
  ['Lists', 'Newest first. `nextCursor` is the next `startingAfter`, and `Link` has the whole address.'],
  [
    'Refusals',
    'A problem (RFC 9457) with a `code` for programs and a `type` that is a page for people. 429 and 503 say in `Retry-After` when to come again; ' +
      '`RateLimit` says before that how much is left.',
  ],
];

/** The API reference as a page that needs no script and no network: everything it says is in the OpenAPI document. */
export function referencePage(document: OpenAPIObject): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Documented => ({
      method: method.toUpperCase(),
      path,
      operation: operation as Operation,
    })),
  );
  const schemas: Schemas = document.components?.schemas ?? {};
  return html`<nav aria-label="Operations">
      <strong>Oncepay</strong>${joined(tagsOf(operations), (tag) => section(tag, operations))}
      <section>
        <h2>more</h2>
        <a href="#problems">Problems</a><a href="/openapi.json">OpenAPI 3.1</a>
      </section>
    </nav>
    <main>
      <h1>Oncepay API</h1>
      <p>${document.info.description ?? ''}</p>
      <dl>
        ${joined(
          CONVENTIONS,
          ([term, text]) =>
            html`<dt>${term}</dt>
              <dd>${prose(text)}</dd>`,
        )}
      </dl>
      ${joined(operations, (each) => article(each, schemas))}${problems()}
    </main>`.text;
}

function tagsOf(operations: readonly Documented[]): readonly string[] {
  return [...new Set(operations.map(tagOf))];
}

function tagOf({ operation }: Documented): string {
  return operation.tags?.[0] ?? 'other';
}

function section(tag: string, operations: readonly Documented[]): Html {
  const own = operations.filter((each) => tagOf(each) === tag);
  return html`<section>
    <h2>${tag}</h2>
    ${joined(own, ({ operation }) => html`<a href="#${operation.operationId ?? ''}">${operation.operationId ?? ''}</a>`)}
  </section>`;
}

function article(each: Documented, schemas: Schemas): Html {
  const { method, path, operation } = each;
  const { operationId = '', summary = '', description, parameters = [], requestBody, responses } = operation;
  const body = requestBody !== undefined && 'content' in requestBody ? requestBody.content['application/json'] : undefined;
  const answers = Object.entries(responses).flatMap(([status, response]) => {
    const given = response !== undefined && 'content' in response ? response.content : undefined;
    return Object.entries(given ?? {}).map(([type, content]) => ({
      status: type.endsWith('json') ? status : `${status}, ${type}`,
      content,
    }));
  });
  const named = parameters.flatMap((parameter) => ('$ref' in parameter ? [] : [parameter]));
  return html`<article id="${operationId}">
    <h2>${summary}</h2>
    <p class="path"><span class="method">${method}</span><code>${path}</code></p>
    ${description === undefined ? '' : html`<p>${prose(description)}</p>`}
    <p class="note">${prose(needs(operation))}</p>
    ${
      named.length === 0
        ? ''
        : html`<h3>Parameters</h3>
            <table>
              ${joined(named, ({ name, in: place, required = false, description: text = '' }) => row({ name, type: place, isRequired: required, text }))}
            </table>`
    }${
      body === undefined
        ? ''
        : html`<h3>Body</h3>
            ${fields(body.schema, schemas, true)}${examples(body.examples)}`
    }${joined(
      answers,
      ({ status, content }) =>
        html`<h3>Answer ${status}</h3>
          ${fields(content.schema, schemas, false)}${examples(content.examples)}`,
    )}
  </article>`;
}

function needs(operation: Operation): string {
  const declared: Readonly<Record<string, unknown>> = { ...operation };
  const scope = declared['x-oncepay-scope'];
  if (typeof scope !== 'string' || scope === 'public') return 'Open to everyone.';
  const isSecretOnly = declared['x-oncepay-secret-only'] === true;
  return `Needs the scope \`${scope}\`${isSecretOnly ? ', and a secret key or token' : '; a publishable key may have it'}.`;
}

/** In a request it matters what must be there; in an answer everything is. */
function fields(schema: unknown, schemas: Schemas, isRequest: boolean): Html {
  return html`<table>
    ${joined(rowsOf(schema, schemas), ({ isRequired, ...rest }) => row({ ...rest, isRequired: isRequest && isRequired }))}
  </table>`;
}

function row({ name, type, isRequired, text }: { name: string; type: string; isRequired: boolean; text: string }): Html {
  return html`<tr>
    <td><code>${name}</code><small>${type}${isRequired ? html`, <span class="must">required</span>` : ''}</small></td>
    <td>${prose(text)}</td>
  </tr>`;
}

function examples(shown: unknown): Html {
  const all = typeof shown === 'object' && shown !== null ? Object.entries(shown) : [];
  return joined(all, ([name, example]: [string, unknown]) => {
    const { summary, value } = Object(example) as { readonly summary?: string; readonly value?: unknown };
    return html`<p class="note">${summary ?? `For example, ${name}`}</p>
      <pre tabindex="0">${typeof value === 'string' ? value : json(value)}</pre>`;
  });
}

function problems(): Html {
  return html`<article id="problems">
    <h2>Problems</h2>
    <p>
      Every error is an <code>application/problem+json</code> (RFC 9457); its <code>type</code> leads to a page that says how to mend it.
    </p>
    <table>
      ${joined(
        Object.entries(PROBLEMS),
        ([code, { status, title }]) =>
          html`<tr>
            <td>
              <a href="/problems/${code}"><code>${code}</code></a
              ><small>${String(status)}</small>
            </td>
            <td>${title}</td>
          </tr>`,
      )}
    </table>
  </article>`;
}
