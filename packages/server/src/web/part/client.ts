// SPDX-License-Identifier: Apache-2.0
const browsers = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const
const systems = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS X', 'Linux'] as const

/** What a `user-agent` calls itself, in words people know; the text itself where it is none of those. */
export function clientName(userAgent: string): string {
  const browser = browsers.find(([mark]) => userAgent.includes(mark))?.[1]
  const system = systems.find(each => userAgent.includes(each))
  if (browser === undefined) return userAgent.slice(0, 80) || 'unknown'
  return system === undefined ? browser : `${browser} on ${system.replace(' OS X', '')}`
}
