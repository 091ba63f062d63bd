/** Colours and type of our own pages, for bright and dark rooms; they bring their style along and nothing else. */
const PAGE_STYLE = `
:root{color-scheme:light dark;--ink:light-dark(#1d1b2e,#eceaf5);--soft:light-dark(#5d5a70,#a9a5bd);--paper:light-dark(#fff,#14121f);
--tint:light-dark(#f4f2fa,#1f1c2e);--line:light-dark(#dfdbea,#35314a);--accent:light-dark(#4f36c9,#b3a1ff)}
*{box-sizing:border-box}
body{font:16px/1.6 system-ui,sans-serif;margin:0;background:var(--paper);color:var(--ink)}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:3px solid color-mix(in srgb,var(--accent) 55%,transparent);outline-offset:2px;border-radius:4px}
code,pre{font:.86em/1.55 ui-monospace,SFMono-Regular,Menlo,monospace;background:var(--tint);border-radius:6px}
code{padding:.12em .38em;overflow-wrap:anywhere}pre{padding:.9rem 1rem;overflow:auto;border:1px solid var(--line);margin:.5rem 0}
h1,h2,h3{line-height:1.25;letter-spacing:-.015em}
.note{color:var(--soft);font-size:.9rem}`;

/** Of a page of a few lines. */
export const SHORT_STYLE = `${PAGE_STYLE}
body{max-width:42rem;margin:0 auto;padding:4rem 1.25rem}h1{margin:.5rem 0 1rem}`;

/** Of the API reference: its index beside it, or above it where there is no room. */
export const REFERENCE_STYLE = `${PAGE_STYLE}
body{display:grid;grid-template-columns:16rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;border-right:1px solid var(--line);padding:1.5rem 1.25rem;font-size:.9rem}
nav strong{font-size:1.05rem}nav h2{font-size:.72rem;text-transform:uppercase;letter-spacing:.07em;color:var(--soft);margin:1.5rem 0 .35rem}
nav a{display:block;padding:.16rem 0;color:inherit}nav a:hover{color:var(--accent)}
main{padding:2.5rem 3rem 6rem;max-width:62rem}h1{margin:0 0 .75rem;font-size:2rem}
article{border-top:1px solid var(--line);padding-top:2rem;margin-top:3rem}
article h2{font-size:1.3rem;margin:0 0 .25rem}article h3{font-size:1rem;margin:1.75rem 0 .4rem}
.path{display:flex;flex-wrap:wrap;gap:.6rem;align-items:baseline;margin:.25rem 0 1rem}.path code{background:none;padding:0;font-size:.95rem}
.method{font:700 .72rem/1 ui-monospace,monospace;letter-spacing:.04em;padding:.4em .6em;border-radius:6px;color:var(--accent);background:color-mix(in srgb,var(--accent) 14%,var(--paper))}
table{border-collapse:collapse;width:100%;font-size:.92rem}td{vertical-align:top;border-bottom:1px solid var(--line);padding:.55rem 1rem .55rem 0}
td:first-child{width:17rem}td small{display:block;color:var(--soft)}.must{color:var(--accent)}
dt{font-weight:600;margin-top:1rem}dd{margin:.15rem 0 0}
@media(max-width:54rem){body{display:block}nav{position:static;height:auto;border:0;border-bottom:1px solid var(--line);columns:2;column-gap:1.5rem;padding:1.25rem}
nav strong{column-span:all;display:block}nav section{break-inside:avoid}nav h2{margin-top:.9rem}main{padding:1.5rem 1.25rem 4rem}
table,tbody,tr,td,td:first-child{display:block;width:auto}tr{border-bottom:1px solid var(--line);padding:.55rem 0}td{border:0;padding:.1rem 0}td:empty{display:none}}`;
