import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { systemEntropy } from '#libs/primitives';
import { formatApiKey } from '../../apps/api/src/callers/api-key.js';

/** What an installation on a developer's machine has to keep over restarts. */
export interface KeptSecrets {
  readonly secretKey: string;
  readonly publishableKey: string;
  readonly webhookSecret: string;
}

/** Reads the secrets of a data folder, or makes them on the first start. They are worth nothing outside this machine. */
export function keptSecrets(file: string): KeptSecrets {
  if (existsSync(file)) {
    const kept: Partial<KeptSecrets> = JSON.parse(readFileSync(file, 'utf8'));
    const { secretKey, publishableKey, webhookSecret } = kept;
    if (secretKey && publishableKey && webhookSecret) return { secretKey, publishableKey, webhookSecret };
  }
  const made: KeptSecrets = { secretKey: newKey('secret'), publishableKey: newKey('publishable'), webhookSecret: `whsec_${letters(32)}` };
  const draft = `${file}.new`;
  writeFileSync(draft, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return made;
}

function newKey(audience: 'publishable' | 'secret'): string {
  return formatApiKey({ id: letters(12), audience, mode: 'test' }, letters(32));
}

/** Letters and digits only, so that a double click selects a key whole. */
function letters(count: number): string {
  let text = '';
  while (text.length < count) text += systemEntropy.secret(count).replaceAll(/[-_]/g, '');
  return text.slice(0, count);
}
