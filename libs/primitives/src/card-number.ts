const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** Digits in groups, as people write card numbers. */
const GROUPED_DIGITS = String.raw`[0-9]+(?:[ .\u2010-\u2015-][0-9]+)*`;
/** Of 10,000 UUIDs one has groups that would pass for a card number, so a UUID is taken whole. */
const RUN = new RegExp(String.raw`(?<![0-9A-Za-z_])(?:(${UUID})|${GROUPED_DIGITS})(?![0-9A-Za-z_])`, 'gi');
const LENGTH_MIN = 13;
const LENGTH_MAX = 19;
const MASK = '[card number]';

/** Whether a text holds what may be a card number: 13 to 19 digits, grouped or not, whose check digit is right. Source: ISO/IEC 7812-1. */
export function holdsCardNumber(text: string): boolean {
  const plain = text.normalize('NFKC');
  return maskCardNumbers(plain) !== plain;
}

/** The text with everything that may be a card number masked. Safe to repeat. */
export function maskCardNumbers(text: string): string {
  return text.replaceAll(RUN, (run: string, uuid: string | undefined) => (uuid === undefined ? maskRun(run) : run));
}

function maskRun(run: string): string {
  if (run.length < LENGTH_MIN) return run;
  // Groups of digits, each followed by what stands between it and the next.
  const parts = run.split(/([^0-9])/);
  let masked = '';
  for (let first = 0; first < parts.length;) {
    const end = endOfCardNumber(parts, first);
    masked += (end === null ? parts[first] : MASK) + (parts[(end ?? first) + 1] ?? '');
    first = (end ?? first) + 2;
  }
  return masked;
}

/** The last group of the longest card number that begins with this group. */
function endOfCardNumber(parts: readonly string[], first: number): number | null {
  let end: number | null = null;
  let digits = '';
  for (let last = first; last < parts.length && digits.length <= LENGTH_MAX; last += 2) {
    digits += parts[last] ?? '';
    if (isCardNumber(digits)) end = last;
  }
  return end;
}

function isCardNumber(digits: string): boolean {
  return digits.length >= LENGTH_MIN && digits.length <= LENGTH_MAX && !digits.startsWith('0') && luhnSum(digits) % 10 === 0;
}

/** Every second digit from the right is doubled; a doubled one counts by the sum of its digits. */
function luhnSum(digits: string): number {
  return Array.from(digits)
    .toReversed()
    .reduce((sum, digit, index) => {
      const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
      return sum + (value > 9 ? value - 9 : value);
    }, 0);
}
