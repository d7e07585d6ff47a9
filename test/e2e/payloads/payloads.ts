import type { CommandsOf, NamespaceName } from '../../../src/contract/namespaces.js';
import type { Field } from '../../harness/hostile.js';

type PayloadOf<C> = C extends { payload: infer P } ? P : never;

/** Every field of every command of a namespace, also those its valid example leaves out. A new command or field does not compile without its row. */
export type PayloadsOf<N extends NamespaceName> = {
  [C in keyof CommandsOf[N]]: { [F in keyof Required<PayloadOf<CommandsOf[N][C]>>]: Field };
};
