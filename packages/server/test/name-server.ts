// SPDX-License-Identifier: Apache-2.0
/** A name server and an RDAP service on loopback ports: domains that a test lets lapse and be registered again. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerDns, type DnsFinding, type RecordType } from '../../cli/src/assess/dns-answer.ts'

/** What a test says of one domain; a domain that is not there does not exist. */
export interface Zone {
  readonly ns?: string
  readonly mx?: string
  readonly a?: string
  /** ISO date of the registration, as RDAP tells it. */
  readonly registered?: string
}

export interface NameServer {
  readonly zones: Map<string, Zone>
  /** Names that the RDAP service was asked for. */
  readonly asked: string[]
  /** While true DNS says that it cannot answer. */
  isBroken: boolean
  /** For the configuration. */
  readonly flags: Readonly<Record<string, string>>
  close(): void
}

/** Opens both. */
export async function openNameServer(): Promise<NameServer> {
  const zones = new Map<string, Zone>()
  const asked: string[] = []
  const dns = createSocket('udp4')
  const reply = (query: Buffer) => answerDns(query, (name, type) => look(server, name, type))
  dns.on('message', (query, from) => dns.send(reply(query), from.port, from.address))
  dns.bind(0, '127.0.0.1')
  await once(dns, 'listening')
  const rdap = createServer((request, response) => {
    const name = decodeURIComponent(request.url?.split('/').at(-1) ?? '')
    asked.push(name)
    const { registered } = zones.get(name) ?? {}
    if (registered === undefined) return void response.writeHead(404).end('{}')
    const events = [
      { eventAction: 'registration', eventDate: registered },
      { eventAction: 'last changed', eventDate: '2030-01-01T00:00:00Z' },
    ]
    response.setHeader('content-type', 'application/rdap+json').end(JSON.stringify({ events }))
  })
  await once(rdap.listen(0, '127.0.0.1'), 'listening')
  const server: NameServer = {
    zones,
    asked,
    isBroken: false,
    flags: {
      nameServers: `127.0.0.1:${dns.address().port}`,
      rdap: `http://127.0.0.1:${(rdap.address() as AddressInfo).port}`,
      allowPrivateHosts: '127.0.0.1',
    },
    close() {
      dns.close()
      rdap.close()
    },
  }
  return server
}

function look(server: NameServer, name: string, type: RecordType | undefined): DnsFinding {
  if (server.isBroken) return { state: 'broken' }
  const zone = server.zones.get(name)
  if (zone === undefined) return { state: 'missing' }
  return { state: 'found', value: type === undefined ? undefined : zone[type] }
}
