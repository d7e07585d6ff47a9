/** Writes test/contract/contract.snapshot.json. Run it after a deliberate change of the wire, and say so under "Wire" in the changelog. */
import { writeFileSync } from 'node:fs';
import { contract } from './contract.js';

writeFileSync('test/contract/contract.snapshot.json', `${JSON.stringify(contract, null, 2)}\n`);
