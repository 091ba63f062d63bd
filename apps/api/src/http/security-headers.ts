import { createHash } from 'node:crypto';
import { type FastifyReply } from 'fastify';

/** Two years, what browsers ask for before they preload a name. Over plain HTTP they ignore it. */
const HSTS = 'max-age=63072000; includeSubDomains';
const NOTHING_MAY_RUN = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** Pages change with a release; nobody minds an old one for five minutes. */
const PAGE_CACHE = 'public, max-age=300';

/** What every answer says to browsers unless its route says more: data, never shown, never kept. Source: OWASP ASVS 5.0, 3.4 and 14.3. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Strict-Transport-Security': HSTS,
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': NOTHING_MAY_RUN,
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Sends a page of our own: it loads nothing, runs nothing, and has the one style sheet that it brings. */
export function sendPage(reply: FastifyReply, { title, style, body }: { title: string; style: string; body: string }): void {
  const hash = createHash('sha256').update(style).digest('base64');
  void reply
    .header('Content-Security-Policy', `${NOTHING_MAY_RUN}; style-src 'sha256-${hash}'`)
    .header('Cache-Control', PAGE_CACHE)
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>` +
        `<style>${style}</style></head><body>${body}</body></html>\n`,
    );
}
