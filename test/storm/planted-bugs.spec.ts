import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OWN_ROOT } from './fleet.js';
import { PLANTED_BUGS } from './planted-bugs.js';
import { misfits } from './planted-copy.js';

describe('the planted bugs', () => {
  it('fit the sources as they are, so that each can be planted', () => {
    assert.deepEqual(
      PLANTED_BUGS.flatMap((bug) => misfits(OWN_ROOT, bug).map((misfit) => `${bug.name}: ${misfit}`)),
      [],
    );
  });
});
