import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A part of the simulator's state that can be written down as small changes and rebuilt from them. */
export interface Keeper {
  readonly topic: string;
  restore(change: unknown): void;
  /** The whole present state, as changes that rebuild it. */
  snapshot(): Iterable<unknown>;
}

type Line = [topic: string, change: unknown][];

/** The file is rewritten when this much was appended and the appended part outweighs the last snapshot twice. */
const REWRITE_AFTER_BYTES = 512 * 1024 * 1024;
/** Snapshots are written in pieces of about this many characters. */
const SNAPSHOT_PIECE_CHARACTERS = 1024 * 1024;

/**
 * An append-only file of changes: one line per step that took effect, written before the step is answered, so a
 * process that is killed has told nobody about anything that is lost. It is not synced to disk: it survives the process, not the machine.
 */
export class StateFile {
  readonly #path: string;
  readonly #keepers: readonly Keeper[];
  #fd = -1;
  #pending: Line = [];
  #snapshotBytes = 0;
  #appendedBytes = 0;

  constructor(path: string, keepers: readonly Keeper[]) {
    this.#path = path;
    this.#keepers = keepers;
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) this.#load();
    this.rewrite();
  }

  record(topic: string, change: unknown): void {
    this.#pending.push([topic, change]);
  }

  /** Writes what was recorded since the last commit as one line: all of it is restored, or none. */
  commit(): void {
    // After close there is nobody to tell of what still happens.
    if (this.#pending.length === 0 || this.#fd === -1) return;
    const line = `${JSON.stringify(this.#pending)}\n`;
    this.#pending = [];
    appendFileSync(this.#fd, line);
    this.#appendedBytes += line.length;
    if (this.#appendedBytes > Math.max(REWRITE_AFTER_BYTES, 2 * this.#snapshotBytes)) this.rewrite();
  }

  /** Replaces the file by a snapshot of the present state; a crash meanwhile leaves the old file. */
  rewrite(): void {
    this.#pending = [];
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, '');
    const fd = openSync(temporary, 'a');
    let piece = '';
    this.#snapshotBytes = 0;
    const flush = (): void => {
      appendFileSync(fd, piece);
      this.#snapshotBytes += piece.length;
      piece = '';
    };
    for (const keeper of this.#keepers) {
      for (const change of keeper.snapshot()) {
        piece += `${JSON.stringify([[keeper.topic, change]])}\n`;
        if (piece.length > SNAPSHOT_PIECE_CHARACTERS) flush();
      }
    }
    flush();
    renameSync(temporary, this.#path);
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = fd;
    this.#appendedBytes = 0;
  }

  close(): void {
    this.commit();
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #load(): void {
    const keepers = new Map(this.#keepers.map((keeper) => [keeper.topic, keeper]));
    const content = readFileSync(this.#path);
    let start = 0;
    // Only whole lines count: a line cut by a kill was never answered to anybody.
    for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, start)) {
      const line = JSON.parse(content.toString('utf8', start, end)) as Line;
      for (const [topic, change] of line) keepers.get(topic)?.restore(change);
      start = end + 1;
    }
  }
}
