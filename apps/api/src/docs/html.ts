/** Text that may stand in a page as it is. */
export interface Html {
  readonly text: string;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A piece of a page: what is put in is escaped unless it is a piece itself. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const texts = values.map((value) => (typeof value === 'string' ? escaped(value) : value.text));
  return { text: parts.map((part, index) => part + (texts[index] ?? '')).join('') };
}

/** The pieces of many things, one after the other. */
export function joined<T>(things: readonly T[], piece: (thing: T, index: number) => Html): Html {
  return { text: things.map((thing, index) => piece(thing, index).text).join('') };
}

/** Text of a description: what stands between backticks is code. */
export function prose(text: string): Html {
  return joined(text.split('`'), (piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : html`${piece}`));
}

/** A value as people read JSON. */
export function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}
