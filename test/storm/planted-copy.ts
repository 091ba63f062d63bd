import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Edit, type PlantedBug } from './planted-bugs.js';

/** Copies the compiled repository at `root` to `folder` and plants the bug there. Throws when it no longer fits the source. */
export function plantedCopy(root: string, folder: string, bug: PlantedBug): string {
  mkdirSync(folder, { recursive: true });
  for (const part of ['apps', 'libs', 'tools']) cpSync(join(root, 'dist', part), join(folder, 'dist', part), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  for (const part of ['node_modules', 'prisma']) symlinkSync(join(root, part), join(folder, part));
  const files = new Map<string, string>();
  for (const change of bug.edits) files.set(change.file, edited(files.get(change.file) ?? read(root, change.file), change));
  for (const [file, text] of files) writeFileSync(join(folder, 'dist', file), text);
  return folder;
}

/** What no longer fits: edits whose text does not stand in the compiled source exactly once. */
export function misfits(root: string, { edits }: PlantedBug): readonly string[] {
  return edits.filter(({ file, find }) => read(root, file).split(find).length !== 2).map(({ file, find }) => `${file}: ${find}`);
}

function edited(text: string, { file, find, replace }: Edit): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`the planted bug does not fit ${file} any more: ${find}`);
  return `${before}${replace}${after}`;
}

function read(root: string, file: string): string {
  return readFileSync(join(root, 'dist', file), 'utf8');
}
