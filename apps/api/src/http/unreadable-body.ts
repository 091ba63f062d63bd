import { type DomainError } from '#libs/primitives';

/**
 * Stands for a body that is no JSON we take. It is refused where a readable one would be validated, because a repetition under a
 * used key is told first that the key is taken.
 */
export class UnreadableBody {
  constructor(readonly problem: DomainError) {}
}
