/** Crockford's alphabet in small letters. Source: TypeID specification 0.3. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CHARACTERS = 26;

/** The public form of a database id, computed anew from the specification: the oracle shares no code with what it judges. */
export function publicIdOf(prefix: string, uuid: string): string {
  let left = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let position = 0; position < CHARACTERS; position += 1) {
    text = `${ALPHABET[Number(left & 31n)]}${text}`;
    left >>= 5n;
  }
  return `${prefix}_${text}`;
}
