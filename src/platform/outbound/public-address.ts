import ipaddr from 'ipaddr.js';

/** Of IPv6 only this is routed in the Internet; what lies elsewhere wraps IPv4 or is of use in one network only. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** True for an address anybody in the Internet may have: not private, loopback, link-local, shared, multicast, mapped or reserved. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address in the clothes of IPv6 is what it is underneath.
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_IPV6);
}
