import { Injectable } from '@nestjs/common';

/** Knows that the process was asked to stop, so that no new traffic is sent to it and nobody waits for it. */
@Injectable()
export class Draining {
  hasBegun = false;
  readonly begun: Promise<void>;
  #begin: () => void = () => undefined;

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  begin(): void {
    this.hasBegun = true;
    this.#begin();
  }
}
