import { isIPv6 } from 'node:net';

/**
 * The part of a network address that one customer controls: an IPv4 address whole, of IPv6 the /64,
 * or one machine could take a fresh address for each attempt.
 */
export function addressKey(address: string | undefined): string {
  if (!address) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const start = head === '' ? [] : head.split(':');
  // The groups after `::` only reach into the first four when there are more than four of them.
  const end = tail ? tail.split(':') : [];
  const groups =
    tail === undefined
      ? start
      : [...start, ...new Array<string>(8 - start.length - end.length).fill('0'), ...end];
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
