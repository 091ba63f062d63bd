/** A longer text would push the columns behind it off the screen; `--json` has it whole. */
const CELL_MAX = 44;

/** The members of a list as a table with these columns; a sentence when there are none. */
export function table(members: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]): string {
  if (members.length === 0) return 'Nothing.';
  const rows = [columns, ...members.map((member) => columns.map((column) => cell(member[column])))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One object, a line for each of its members. */
export function whole(object: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(object).filter((name) => name !== 'object');
  const width = Math.max(0, ...names.map((name) => name.length));
  return names
    .map((name) => {
      const value = object[name];
      const text = typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : plain(value);
      return `${name.padEnd(width)}  ${text.replaceAll('\n', `\n${' '.repeat(width + 2)}`)}`;
    })
    .join('\n');
}

function cell(value: unknown): string {
  const text = plain(value);
  return text.length > CELL_MAX ? `${text.slice(0, CELL_MAX - 1)}…` : text;
}

/** An error of Stripe by its message, anything else that has members as JSON. */
function plain(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'string') return value.replaceAll(/\s+/g, ' ');
  if (typeof value === 'object' && 'message' in value && typeof value.message === 'string') return plain(value.message);
  return JSON.stringify(value);
}
