/** What is written by hand comes to about a hundred texts; only lists of varying length make more. */
const NAMES_MAX = 500;

/**
 * Names each text of a statement, so that PostgreSQL parses it once a connection and plans it a few times: for statements as
 * short as ours, planning costs more than the work. Past `namesMax` texts there are no new names, since a connection keeps
 * all that it has prepared until it ends. Source: https://www.postgresql.org/docs/current/sql-prepare.html
 */
export function statementNames(namesMax = NAMES_MAX): (statement: { readonly sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    // The empty name is the one that PostgreSQL forgets at the next statement.
    if (names.size >= namesMax) return '';
    const name = `oncepay_${names.size + 1}`;
    names.set(sql, name);
    return name;
  };
}
