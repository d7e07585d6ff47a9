import { lookup as resolve, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, request } from 'undici';
import { isPublicAddress } from './public-address.js';

/** What an address that a client gave may lead to. */
export interface OutboundOptions {
  /** Plain HTTP and private networks too: closed networks, and tests. */
  allowPrivate: boolean;
  resolve?: Resolve;
}

export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

export interface OutboundRequest {
  headers: Record<string, string>;
  body: Buffer;
  signal: AbortSignal;
}

export interface OutboundAnswer {
  status: number;
  retryAfterSeconds?: number;
}

/** The request would have left for a place it must not reach. */
export class ForbiddenTarget extends Error {
  constructor(problem: string) {
    super(`The address ${problem}`);
    this.name = 'ForbiddenTarget';
  }
}

const TIMEOUT_MS = 10_000;
/** Nobody reads it: so much may come before the connection is cut instead of being used again. */
const MOST_ANSWER_BYTES = 16_384;

/**
 * Requests to addresses that clients chose. What a name means is decided when the connection is made, and the addresses
 * that were checked are the ones that are dialled: a name that points elsewhere a moment later gains nothing. Redirects
 * are not followed.
 */
export class Outbound {
  private readonly agent: Agent;

  constructor(private readonly options: OutboundOptions) {
    this.agent = new Agent({
      connect: options.allowPrivate ? { timeout: TIMEOUT_MS } : checkedConnector(options.resolve ?? resolve),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
  }

  /** What speaks against an address before it is dialled; `undefined`: nothing. */
  problemOf(address: string): string | undefined {
    if (!URL.canParse(address)) return 'must be a URL';
    const { protocol, hostname, username, password } = new URL(address);
    if (username !== '' || password !== '') return 'must not carry credentials';
    if (this.options.allowPrivate)
      return ['http:', 'https:'].includes(protocol) ? undefined : 'must be an http or https URL';
    if (protocol !== 'https:') return 'must be an https URL';
    const literal = literalOf(hostname);
    if (literal !== undefined && !isPublicAddress(literal)) return 'must not be in a private network';
    return undefined;
  }

  async post(address: string, { headers, body, signal }: OutboundRequest): Promise<OutboundAnswer> {
    const problem = this.problemOf(address);
    if (problem !== undefined) throw new ForbiddenTarget(problem);
    const answer = await request(address, {
      method: 'POST',
      headers,
      body,
      dispatcher: this.agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await answer.body.dump({ limit: MOST_ANSWER_BYTES });
    const retryAfterSeconds = secondsOf(answer.headers['retry-after']);
    return { status: answer.statusCode, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

function checkedConnector(resolveName: Resolve): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      // With an error there are none, whatever the types say.
      const [first] = error ? [] : addresses;
      if (error) callback(error, []);
      else if (!first || !addresses.every(({ address }) => isPublicAddress(address)))
        callback(new ForbiddenTarget('leads into a private network'), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ lookup, timeout: TIMEOUT_MS });
  return (options, callback) => {
    // Nobody is asked what an address means that stands there in digits.
    const literal = literalOf(options.hostname);
    if (literal !== undefined && !isPublicAddress(literal))
      callback(new ForbiddenTarget('leads into a private network'), null);
    else connect(options, callback);
  };
}

function literalOf(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? undefined : bare;
}

/** Seconds or a date, RFC 9110. */
function secondsOf(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}
