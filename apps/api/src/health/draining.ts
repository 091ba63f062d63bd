import { type BeforeApplicationShutdown, Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Knows that the process was asked to stop, so that no new traffic is sent to it and nobody waits for it. */
@Injectable()
export class Draining implements OnModuleDestroy, BeforeApplicationShutdown {
  hasBegun = false;
  readonly begun: Promise<void>;
  #begin: () => void = () => undefined;

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  onModuleDestroy(): void {
    this.hasBegun = true;
    this.#begin();
  }

  beforeApplicationShutdown(): void {
    this.onModuleDestroy();
  }
}
