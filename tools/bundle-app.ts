import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** One of apps/. */
export type App = 'api' | 'worker' | 'stripe-simulator';

export interface AppBundle {
  /** The compiled repository, where dist/ lies. */
  readonly root: string;
  readonly app: App;
  /** Compiled modules, seen from dist/, that run before the app. */
  readonly before?: readonly string[];
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
 * Writes an app and all its packages into one file, to be run by Node. Tests start processes some hundred times, and to load
 * 1,200 modules one by one takes longer than most of what such a process then does. Safe to repeat.
 */
export async function bundleApp({ root, app, before = [], outfile }: AppBundle): Promise<void> {
  const dist = join(root, 'dist');
  const modules = [...before, `apps/${app}/src/main.js`];
  await build({
    stdin: { contents: modules.map((module) => `import './${module}';`).join('\n'), resolveDir: dist },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // CommonJS packages ask for Node's modules by `require`.
    banner: { js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);` },
    // The description of the API calls its schemas by the names of their classes.
    keepNames: true,
    external: OPTIONAL,
    plugins: [foldersAsTheyWere(dist)],
    logLevel: 'error',
  });
}

/** What finds its files beside itself finds them as if it stood where it was. */
function foldersAsTheyWere(dist: string): Plugin {
  return {
    name: 'folders-as-they-were',
    setup(bundle) {
      bundle.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.startsWith(dist)) return null;
        const text = await readFile(path, 'utf8');
        return { contents: text.replaceAll('import.meta.dirname', JSON.stringify(dirname(path))) };
      });
    },
  };
}
