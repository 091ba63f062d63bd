import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

/** Knows that the process was asked to stop, so that no new traffic is sent to it. */
@Injectable()
export class Draining implements BeforeApplicationShutdown {
  hasBegun = false;

  beforeApplicationShutdown(): void {
    this.hasBegun = true;
  }
}
