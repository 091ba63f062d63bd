import { type OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS } from '../http/problem-catalogue.js';
import { html, type Html, joined, json } from './html.js';
import { rowsOf, type Schema } from './schema-rows.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

interface Documented {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The style of the reference: its page brings it along and nothing else. */
export const REFERENCE_STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--accent:#5b5bd6}
body{font:16px/1.55 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:17rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;border-right:1px solid var(--line);padding:1.5rem 1rem;box-sizing:border-box;font-size:.9rem}
nav h2{font-size:.75rem;text-transform:uppercase;letter-spacing:.06em;opacity:.7;margin:1.4rem 0 .3rem}nav a{display:block;padding:.15rem 0}
main{padding:2rem 3rem 6rem;max-width:60rem}a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
h1{margin-top:0}article{border-top:1px solid var(--line);padding-top:1rem;margin-top:2.5rem}
code,pre{font:.85em/1.5 ui-monospace,monospace;background:var(--soft);border-radius:5px}code{padding:.1em .35em}pre{padding:.9rem;overflow:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{text-align:left;vertical-align:top;border-bottom:1px solid var(--line);padding:.4rem .6rem .4rem 0}
.method{font-weight:700;color:var(--accent)}.note{opacity:.75;font-size:.9rem}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto;border:0}main{padding:1rem}}`;

/** The API reference as a page that needs no script and no network: everything it says is in the OpenAPI document. */
export function referencePage(document: OpenAPIObject): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Documented => ({
      method: method.toUpperCase(),
      path,
      operation: operation as Operation,
    })),
  );
  const schemas: Readonly<Record<string, Schema>> = document.components?.schemas ?? {};
  return html`<nav>
      <strong>Oncepay</strong>${joined(tagsOf(operations), (tag) => section(tag, operations))}
      <h2>more</h2>
      <a href="#problems">Problems</a><a href="/openapi.json">OpenAPI 3.1</a>
    </nav>
    <main>
      <h1>Oncepay API</h1>
      <p>${document.info.description ?? ''}</p>
      <p>
        Send a key as <code>Authorization: Bearer oncepay_sk_…</code>. Every POST that changes something takes an
        <code>Idempotency-Key</code>: make it once, keep it, and send it with every retry.
      </p>
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
  return html`<h2>${tag}</h2>
    ${joined(own, ({ operation }) => html`<a href="#${operation.operationId ?? ''}">${operation.operationId ?? ''}</a>`)}`;
}

function article(each: Documented, schemas: Readonly<Record<string, Schema>>): Html {
  const { method, path, operation } = each;
  const { operationId = '', summary = '', description, parameters = [], requestBody, responses } = operation;
  const body = requestBody !== undefined && 'content' in requestBody ? requestBody.content['application/json'] : undefined;
  const answers = Object.entries(responses).flatMap(([status, response]) => {
    const content = response !== undefined && 'content' in response ? response.content?.['application/json'] : undefined;
    return content === undefined ? [] : [{ status, content }];
  });
  const named = parameters.flatMap((parameter) => ('$ref' in parameter ? [] : [parameter]));
  return html`<article id="${operationId}">
    <h2><span class="method">${method}</span> <code>${path}</code></h2>
    <p>${summary}</p>
    ${description === undefined ? '' : html`<p>${description}</p>`}
    <p class="note">${needs(operation)}</p>
    ${
      named.length === 0
        ? ''
        : html`<h3>Parameters</h3>
            <table>
              ${joined(named, ({ name, in: place, required, description: text = '' }) => row(name, `${place}${required === true ? ', required' : ''}`, text))}
            </table>`
    }${
      body === undefined
        ? ''
        : html`<h3>Body</h3>
            ${fields(body.schema, schemas)}${examples(body.examples)}`
    }${joined(
      answers,
      ({ status, content }) =>
        html`<h3>Answer ${status}</h3>
          ${fields(content.schema, schemas)}${examples(content.examples)}`,
    )}
  </article>`;
}

function needs(operation: Operation): string {
  const declared: Readonly<Record<string, unknown>> = { ...operation };
  const scope = declared['x-oncepay-scope'];
  if (typeof scope !== 'string' || scope === 'public') return 'Open to everyone.';
  return `Needs the scope ${scope}${declared['x-oncepay-secret-only'] === true ? ', and a secret key or token' : '; a publishable key may have it'}.`;
}

function fields(schema: unknown, schemas: Readonly<Record<string, Schema>>): Html {
  return html`<table>
    ${joined(rowsOf(schema, schemas), ({ name, type, text }) => row(name, type, text))}
  </table>`;
}

function row(name: string, type: string, text: string): Html {
  return html`<tr>
    <td><code>${name}</code></td>
    <td>${type}</td>
    <td>${text}</td>
  </tr>`;
}

function examples(shown: unknown): Html {
  const all = typeof shown === 'object' && shown !== null ? Object.entries(shown) : [];
  return joined(all, ([name, example]: [string, unknown]) => {
    const { summary, value } = Object(example) as { readonly summary?: string; readonly value?: unknown };
    return html`<p class="note">${summary ?? name}</p>
      <pre>${json(value)}</pre>`;
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
            <td>${String(status)}</td>
            <td>
              <a href="/problems/${code}"><code>${code}</code></a>
            </td>
            <td>${title}</td>
          </tr>`,
      )}
    </table>
  </article>`;
}
