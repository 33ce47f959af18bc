// SPDX-License-Identifier: Apache-2.0
import { Resolver } from 'node:dns/promises'
import type { DomainFacts } from '../identity/index.ts'
import type { DomainLookup, Outbound } from '../ports.ts'

const dnsTimeoutMs = 3000
const dnsTries = 2
const rdapBytes = 512 * 1024

/** Looks at domains by DNS, and by RDAP (RFC 9082) at the service of this address. */
export function openDomainLookup(
  rdap: string,
  nameServers: readonly string[],
  outbound: Outbound,
): DomainLookup {
  const resolver = new Resolver({ timeout: dnsTimeoutMs, tries: dnsTries })
  if (nameServers.length > 0) resolver.setServers([...nameServers])
  return {
    async find(domain) {
      const takesMail = await findMail(resolver, domain)
      // Without DNS the network is down, and the registry need not be asked for that.
      if (takesMail === undefined) return { takesMail, registeredAt: undefined }
      return { takesMail, registeredAt: await findRegistration(outbound, rdap, domain) }
    },
  }
}

/** RFC 5321, section 5.1: mail goes to MX, else to the host itself; RFC 7505: a null MX takes none. */
async function findMail(resolver: Resolver, domain: string): Promise<DomainFacts['takesMail']> {
  const servers = await answers(() => findDelegation(resolver, domain))
  if (servers !== undefined && servers.length === 0) return false
  const exchanges = await answers(() => resolver.resolveMx(domain))
  if (exchanges === undefined) return undefined
  if (exchanges.length > 0) return exchanges.some(({ exchange }) => exchange !== '' && exchange !== '.')
  const hosts = [
    await answers(() => resolver.resolve4(domain)),
    await answers(() => resolver.resolve6(domain)),
  ]
  if (hosts.some(each => each !== undefined && each.length > 0)) return true
  return hosts.includes(undefined) ? undefined : false
}

/** Name servers of the domain, or of the domain it lies in: `mail.acme.example` has its own seldom. */
async function findDelegation(resolver: Resolver, domain: string): Promise<string[]> {
  for (const each of upwards(domain)) {
    const found = await answers(() => resolver.resolveNs(each))
    if (found === undefined) throw new Error('no answer')
    if (found.length > 0) return found
  }
  return []
}

/** An empty list for a clear no; undefined when nobody could say. */
async function answers<T>(ask: () => Promise<T[]>): Promise<T[] | undefined> {
  try {
    return await ask()
  } catch (error) {
    const { code } = error as { code?: string }
    return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : undefined
  }
}

async function findRegistration(
  outbound: Outbound,
  rdap: string,
  domain: string,
): Promise<number | undefined> {
  for (const each of upwards(domain)) {
    const url = `${rdap.replace(/\/+$/, '')}/domain/${encodeURIComponent(each)}`
    const headers = { accept: 'application/rdap+json' }
    const answer = await outbound
      .ask({ url, headers, redirects: 3, maxBytes: rdapBytes })
      .catch(() => undefined)
    if (answer?.status === 404) continue
    return answer?.status === 200 ? readRegistration(answer.bytes) : undefined
  }
  return undefined
}

/** RFC 9083, section 4.5: the newest of registration and re-registration. */
function readRegistration(bytes: Uint8Array): number | undefined {
  const events = parse(bytes)['events']
  const dates = (Array.isArray(events) ? events : []).flatMap((event: unknown) => {
    const { eventAction, eventDate } = (event ?? {}) as Record<string, unknown>
    const at = Date.parse(String(eventDate))
    return /^re-?registration$|^registration$/.test(String(eventAction)) && !Number.isNaN(at) ? [at] : []
  })
  return dates.length === 0 ? undefined : Math.max(...dates)
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** `a.b.example`, `b.example`: the last two labels are the least that can be registered. */
function upwards(domain: string): string[] {
  const labels = domain.split('.')
  if (labels.length < 3) return [domain]
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}
