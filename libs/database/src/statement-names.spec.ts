import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statementNames } from './statement-names.js';

describe('the names of statements', () => {
  it('are the same for the same text and another for another', () => {
    const nameOf = statementNames();
    const [one, two] = [nameOf({ sql: 'SELECT 1' }), nameOf({ sql: 'SELECT 2' })];
    assert.notEqual(one, two);
    assert.equal(nameOf({ sql: 'SELECT 1' }), one);
  });

  it('end at a limit: what a connection keeps prepared cannot grow without end', () => {
    const nameOf = statementNames(1);
    const kept = nameOf({ sql: 'SELECT 1' });
    assert.equal(nameOf({ sql: 'SELECT 2' }), '');
    assert.equal(nameOf({ sql: 'SELECT 1' }), kept);
  });
});
