/** Digits in groups, as people write card numbers. */
const GROUPED_DIGITS = /(?<![0-9A-Za-z_])[0-9]+(?:[ .\u2010-\u2015-][0-9]+)*(?![0-9A-Za-z_])/g;
const UUID_OF_DIGITS = /^[0-9]{8}(?:-[0-9]{4}){3}-[0-9]{12}$/;
const LENGTH_MIN = 13;
const LENGTH_MAX = 19;
const MASK = '[card number]';

/** Visa, Mastercard, American Express, Discover, Diners Club, JCB and UnionPay: how their numbers begin, and how long those are. */
const BRANDS =
  /^(4(\d{15}|\d{18})|(5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|6(011|4[4-9]\d|5\d\d)\d{12}|3(0[0-5]|[68]\d)\d{11}|35(2[89]|[3-8]\d)\d{12}|62\d{14,17})$/;

/** Whether a text holds what may be a card number: 13 to 19 digits, grouped or not, whose check digit is right. Source: ISO/IEC 7812-1. */
export function holdsCardNumber(text: string): boolean {
  return holdsNumber(text, isCardNumber);
}

/** The same where shops write numbers of their own, one of ten of which has the right check digit: only those that a card brand issues. */
export function holdsBrandCardNumber(text: string): boolean {
  return holdsNumber(text, (digits) => isCardNumber(digits) && BRANDS.test(digits));
}

/** The text with everything that may be a card number masked. Safe to repeat. */
export function maskCardNumbers(text: string): string {
  return mask(text, isCardNumber);
}

type IsNumber = (digits: string) => boolean;

function holdsNumber(text: string, isNumber: IsNumber): boolean {
  const plain = text.normalize('NFKC');
  return mask(plain, isNumber) !== plain;
}

function mask(text: string, isNumber: IsNumber): string {
  return text.replaceAll(GROUPED_DIGITS, (run) => maskRun(run, isNumber));
}

function maskRun(run: string, isNumber: IsNumber): string {
  if (run.length < LENGTH_MIN || UUID_OF_DIGITS.test(run)) return run;
  // Groups of digits, each followed by what stands between it and the next.
  const parts = run.split(/([^0-9])/);
  let masked = '';
  for (let first = 0; first < parts.length;) {
    const end = endOfNumber(parts, first, isNumber);
    masked += (end === null ? parts[first] : MASK) + (parts[(end ?? first) + 1] ?? '');
    first = (end ?? first) + 2;
  }
  return masked;
}

/** The last group of the longest card number that begins with this group. */
function endOfNumber(parts: readonly string[], first: number, isNumber: IsNumber): number | null {
  let end: number | null = null;
  let digits = '';
  for (let last = first; last < parts.length && digits.length <= LENGTH_MAX; last += 2) {
    digits += parts[last] ?? '';
    if (isNumber(digits)) end = last;
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
