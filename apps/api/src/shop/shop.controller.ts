import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Config } from '#libs/config';
import { DomainError } from '#libs/primitives';
import { type FastifyReply } from 'fastify';
import { Public } from '../callers/caller.guard.js';
import { CONFIG } from '../tokens.js';

/** The compiled file is dist/apps/api/src/shop/shop.controller.js. */
const ROOT = resolve(import.meta.dirname, '../../../../..');
const PAGE = join(ROOT, 'clients/checkout-page');
/** Where the compiler puts what runs in browsers, by the name it has here; relative imports between them hold in both places. */
const MODULES: Readonly<Record<string, string>> = {
  'checkout-page': join(ROOT, 'dist/clients/checkout-page/src'),
  typescript: join(ROOT, 'dist/clients/typescript/src'),
};
const MODULE_FILE = /^[a-z][a-z-]*\.js$/;

const CLOSED = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** Source: https://docs.stripe.com/security/guide#content-security-policy */
const STRIPE = {
  script: "'self' https://js.stripe.com https://*.js.stripe.com",
  connect: "'self' https://api.stripe.com",
  frame: 'https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com',
};

/** The demonstration shop: a page that buys with the development key, by the TypeScript client alone. Not part of a production API. */
@ApiExcludeController()
@Controller('shop')
@Public()
export class ShopController {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Get()
  async page(@Res() reply: FastifyReply): Promise<void> {
    const { development, stripe } = this.config;
    const values: Readonly<Record<string, string>> = {
      key: development.publishableKeys[0] ?? '',
      stripeKey: stripe.publishableKey ?? '',
      simulator: stripe.apiBase ?? '',
    };
    const page = await readFile(join(PAGE, 'page.html'), 'utf8');
    const html = page.replace(/\{\{(\w+)\}\}/g, (_, name: string) => escaped(values[name] ?? ''));
    void reply.header('Content-Security-Policy', policyFor(stripe.apiBase)).type('text/html; charset=utf-8').send(html);
  }

  @Get('page.css')
  async style(@Res() reply: FastifyReply): Promise<void> {
    void reply.type('text/css; charset=utf-8').send(await readFile(join(PAGE, 'page.css'), 'utf8'));
  }

  @Get('modules/:client/src/:file')
  async module(@Res() reply: FastifyReply, @Param('client') client: string, @Param('file') file: string): Promise<void> {
    const folder = Object.hasOwn(MODULES, client) ? MODULES[client] : undefined;
    const text = folder !== undefined && MODULE_FILE.test(file) ? await readFile(join(folder, file), 'utf8').catch(() => null) : null;
    if (text === null) throw new DomainError('not_found', 'The page has no such module.');
    void reply.type('text/javascript; charset=utf-8').send(text);
  }
}

/** The page's Content-Security-Policy: it loads and calls itself, and whoever plays Stripe. */
export function policyFor(simulatorUrl: string | null): string {
  if (simulatorUrl !== null) return `${CLOSED}; script-src 'self'; connect-src 'self' ${new URL(simulatorUrl).origin}`;
  return `${CLOSED}; script-src ${STRIPE.script}; connect-src ${STRIPE.connect}; frame-src ${STRIPE.frame}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
