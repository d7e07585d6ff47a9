import { Injectable } from '@nestjs/common';
import type { Transaction } from '../platform/database/unit-of-work.js';
import { FilterRulesRepository } from './filter-rules.repository.js';
import { MessageFilter } from './message-filter.js';

/** The rules in force, ready to be asked: read again when the version that a batch found is another one. */
@Injectable()
export class CurrentFilter {
  private version = 0;
  private filter = MessageFilter.EMPTY;

  constructor(private readonly rules: FilterRulesRepository) {}

  /** As this node knows them. */
  get known(): { version: number; filter: MessageFilter } {
    return { version: this.version, filter: this.filter };
  }

  /** Inside the transaction that read `version`: under its lock the rules stay as they are. */
  async at(tx: Transaction, version: number | undefined): Promise<MessageFilter> {
    if (version === undefined || version === this.version) return this.filter;
    const filter = new MessageFilter(await this.rules.all(tx));
    // Of two lanes that read different versions the newer one stays.
    if (version > this.version) {
      this.version = version;
      this.filter = filter;
    }
    return filter;
  }
}
