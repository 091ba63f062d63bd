import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** One of apps/. */
export type App = 'api' | 'worker' | 'stripe-simulator';

export interface AppBundle {
  /** The compiled repository, where dist/ lies. */
  readonly root: string;
  readonly app: App;
  /** Compiled modules, seen from dist/, that run before the app. */
  readonly before?: readonly string[];
  /** For `run-bundle.js`, which keeps what V8 compiled beside it. */
  readonly outfile: string;
}

/** Nest and pg ask for these and do without. */
const OPTIONAL = [
  '@nestjs/microservices',
  '@nestjs/microservices/*',
  '@nestjs/websockets/*',
  '@nestjs/platform-express',
  '@fastify/static',
  '@fastify/view',
  '@fastify/multipart',
  'class-transformer/storage',
  'pg-native',
];

/**
 * Writes an app and all its packages into one file, to be run by `run-bundle.js`. Tests start processes some hundred times, and to
 * find, load and compile 1,200 modules takes longer than most of what such a process then does. Safe to repeat.
 */
export async function bundleApp({ root, app, before = [], outfile }: AppBundle): Promise<void> {
  const dist = join(root, 'dist');
  const modules = [...before, `apps/${app}/src/main.js`];
  await build({
    ...appOptions(),
    stdin: { contents: modules.map((module) => `import './${module}';`).join('\n'), resolveDir: dist },
    outfile,
  });
}

/**
 * Writes apps below `outdir` as `<app>.cjs`, each with its packages and with a map to its sources, to be run by Node with
 * `--enable-source-maps`. Safe to repeat.
 */
export async function bundleApps(root: string, apps: readonly App[], outdir: string): Promise<void> {
  await build({
    ...appOptions(),
    entryPoints: Object.fromEntries(apps.map((app) => [app, join(root, 'dist/apps', app, 'src/main.js')])),
    outdir,
    outExtension: { '.js': '.cjs' },
    // Who reads a trace is led to the sources.
    sourcemap: 'linked',
    sourcesContent: false,
  });
}

function appOptions(): BuildOptions {
  return {
    bundle: true,
    platform: 'node',
    // V8 keeps the code of a script; that of a module only behind an experimental flag.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    // The description of the API calls its schemas by the names of their classes.
    keepNames: true,
    // Node reads all of it at each start.
    minifyWhitespace: true,
    legalComments: 'none',
    external: OPTIONAL,
    plugins: [placesAsTheyWere],
    logLevel: 'error',
  };
}

/** Programs of their own, and a browser's driver: they load their parts while they run. */
const LEFT_AS_THEY_ARE = ['esbuild', 'playwright-core', 'typescript', 'typescript7'];

/**
 * Writes the modules that test processes run, below `outdir` as they lie below `dist`, with all that they load in files that they
 * share: to find and load 1,400 modules takes each process over a second more. Answers where each module is now; safe to repeat.
 */
export async function bundleTests(modules: readonly string[], dist: string, outdir: string): Promise<string[]> {
  await build({
    entryPoints: [...modules],
    outbase: dist,
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    // CommonJS packages ask for Node's modules by `require`.
    banner: { js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);` },
    sourcemap: 'linked',
    sourcesContent: false,
    keepNames: true,
    external: [...OPTIONAL, ...LEFT_AS_THEY_ARE],
    plugins: [placesAsTheyWere],
    logLevel: 'silent',
  });
  return modules.map((module) => join(outdir, relative(dist, module)));
}

/** In two words, as this file is bundled too. */
const META = ['import', 'meta'].join('.');

/** What finds its files beside itself finds them as if it stood where it was. */
const placesAsTheyWere: Plugin = {
  name: 'places-as-they-were',
  setup(bundle) {
    bundle.onLoad({ filter: /\.m?js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes(META)) return null;
      return {
        contents: text
          .replaceAll(`${META}.dirname`, JSON.stringify(dirname(path)))
          .replaceAll(`${META}.url`, JSON.stringify(pathToFileURL(path).href)),
      };
    });
  },
};
