import { Injectable } from '@nestjs/common';

/** Whether this instance wants new work. A load balancer learns of a drain here, before anything is closed. */
@Injectable()
export class Readiness {
  private isDraining = false;

  get draining(): boolean {
    return this.isDraining;
  }

  /** For good: a draining instance ends. */
  drain(): void {
    this.isDraining = true;
  }
}
