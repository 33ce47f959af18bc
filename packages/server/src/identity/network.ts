// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIP } from 'node:net'
import { excerpt, problem } from '@holdfast/core'

/** Whether a text is an address, or a network in CIDR form. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  const fits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
  return isIP(address) !== 0 && fits && more.length === 0
}

/** A network as it is kept. Throws `invalid-body`, naming the `field` it came in. */
export function parseNetwork(text: string, field: string): string {
  if (isNetwork(text)) return text
  throw problem('invalid-body', {
    why: `${field}: '${excerpt(text)}' is not an address or a network such as 203.0.113.0/24`,
  })
}

/** Tells whether an address lies in one of these networks; what is no address lies in none. */
export function networkList(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix ?? (isIP(address) === 6 ? 128 : 32)), familyOf(address))
  }
  return address => isIP(address) !== 0 && list.check(address, familyOf(address))
}

/** Whether two addresses are neighbours: one /24, or one /48 of IPv6; a home or an office rarely spans more. */
export function isSameNetwork(one: string, other: string): boolean {
  if (one === other) return true
  if (isIP(one) === 0) return false
  return networkList([`${one}/${isIP(one) === 6 ? 48 : 24}`])(other)
}

/** Whom an address stands for: whoever has one IPv6 address has its whole /64. */
export function networkOf(address: string, ipv6Bits = 64): string {
  if (isIP(address) !== 6) return address
  const groups = groupsOf(address).slice(0, ipv6Bits / 16)
  return `${groups.join(':')}::/${ipv6Bits}`
}

/** The wider network of an address, which one attacker may well hold: a /24, or a /48 of IPv6. */
export function neighbourhoodOf(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').slice(0, 3).join('.')}.0/24`
  return networkOf(address, 48)
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail = ''] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].map(group => Number.parseInt(group, 16).toString(16))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
