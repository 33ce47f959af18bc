// SPDX-License-Identifier: Apache-2.0
/** A name server (RFC 1035) and an RDAP service (RFC 9083) for probes: domains exist when they are added. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerDns, type DnsFinding, type RecordType } from './dns-answer.ts'
import type { Settings } from './probe.ts'

export interface NameService {
  /** Lets a domain exist, with mail, registered at this ISO time. */
  add(domain: string, registered: string): void
  /** What an instance needs to ask here. */
  readonly settings: Settings
  /** Domains that the RDAP service was asked for. */
  readonly asked: readonly string[]
  close(): void
}

/** Opens both on loopback ports. */
export async function openNameService(): Promise<NameService> {
  const domains = new Map<string, string>()
  const asked: string[] = []
  const dns = createSocket('udp4')
  const reply = (query: Buffer) => answerDns(query, (name, type) => look(domains, name, type))
  dns.on('message', (query, from) => dns.send(reply(query), from.port, from.address))
  dns.bind(0, '127.0.0.1')
  await once(dns, 'listening')
  const rdap = createServer((request, response) => {
    const domain = request.url?.split('/').at(-1) ?? ''
    asked.push(domain)
    const registered = domains.get(domain)
    if (registered === undefined) return void response.writeHead(404).end('{}')
    response.end(JSON.stringify({ events: [{ eventAction: 'registration', eventDate: registered }] }))
  })
  await once(rdap.listen(0, '127.0.0.1'), 'listening')
  return {
    add: (domain, registered) => domains.set(domain, registered),
    settings: {
      HOLDFAST_NAME_SERVERS: `127.0.0.1:${dns.address().port}`,
      HOLDFAST_RDAP: `http://127.0.0.1:${(rdap.address() as AddressInfo).port}`,
      HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
    },
    asked,
    close() {
      dns.close()
      rdap.close()
    },
  }
}

/** Mail and name servers for a domain that exists. */
function look(domains: ReadonlyMap<string, string>, name: string, type: RecordType | undefined): DnsFinding {
  if (!domains.has(name)) return { state: 'missing' }
  return { state: 'found', value: type === 'a' ? undefined : 'host.example' }
}
