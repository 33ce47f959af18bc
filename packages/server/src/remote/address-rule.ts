// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIP } from 'node:net'

/** Which addresses a request may go to. */
export interface AddressRule {
  /** Not an address of the public internet. */
  isPrivate(address: string): boolean
  /** Named by the operator: the host itself, its address, or a network around it. */
  isNamed(host: string, address: string): boolean
}

/** Ranges of IPv4 that are not the public internet (RFC 6890): own networks, link-local with cloud metadata, and the like. */
const notPublic4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/** Public IPv6 is 2000::/3 without what wraps IPv4 addresses (Teredo, 6to4) or is for documentation. */
const public6 = ['2000::/3']
const notPublic6 = ['2001::/32', '2001:db8::/32', '2002::/16', '3fff::/20']

/** The rule of an operator who names these hosts, addresses and networks. */
export function addressRule(named: readonly string[]): AddressRule {
  const networks = named.filter(each => isIP(each.split('/')[0] ?? '') !== 0)
  const hosts = new Set(named.map(each => each.toLowerCase()))
  const [inNamed, in4, in6, outside6] = [networks, notPublic4, public6, notPublic6].map(contains)
  return {
    isPrivate: address =>
      isIP(address) === 4
        ? in4?.(address) !== false
        : in6?.(address) !== true || outside6?.(address) !== false,
    isNamed: (host, address) => hosts.has(host.toLowerCase()) || inNamed?.(address) === true,
  }
}

function contains(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return address => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
