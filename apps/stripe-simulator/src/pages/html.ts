import type { Reply } from '../http/exchange.js';

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}

/** A whole page. `body` is HTML; what comes from outside must have been escaped. */
export function page(title: string, body: string, status = 200): Reply {
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 3rem auto; padding: 0 1rem; color: #1a1f36 }
h1 { font-size: 1.3rem } label { display: block; margin: .8rem 0 .2rem } input, select { width: 100%; padding: .5rem; font: inherit; box-sizing: border-box }
button { margin: 1rem .5rem 0 0; padding: .6rem 1.2rem; font: inherit; border: 1px solid #635bff; border-radius: .3rem; background: #635bff; color: #fff }
button.plain { background: #fff; color: #635bff } .error { color: #b3093c } small { color: #697386 }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${body}
<p><small>Stripe simulator. No money moves here.</small></p>
</body>
</html>
`,
  };
}

export function redirect(url: string): Reply {
  return { status: 303, headers: { Location: url }, body: '' };
}

/** An amount as people write it, with the decimals its currency has at Stripe. */
export function money(amount: number, currency: string): string {
  const decimals = NO_DECIMALS.has(currency) ? 0 : THREE_DECIMALS.has(currency) ? 3 : 2;
  return `${(amount / 10 ** decimals).toFixed(decimals)} ${currency.toUpperCase()}`;
}

const NO_DECIMALS = new Set(['bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf']);
const THREE_DECIMALS = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
