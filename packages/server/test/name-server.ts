// SPDX-License-Identifier: Apache-2.0
/** A name server and an RDAP service on loopback ports: domains that a test lets lapse and be registered again. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

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

const types = { 1: 'a', 2: 'ns', 15: 'mx' } as const

/** Opens both. */
export async function openNameServer(): Promise<NameServer> {
  const zones = new Map<string, Zone>()
  const asked: string[] = []
  const dns = createSocket('udp4')
  dns.on('message', (query, from) => dns.send(answer(server, query), from.port, from.address))
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

/** RFC 1035, section 4: the question again, and what the zone has of it. */
function answer(server: NameServer, query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5
  const name = readName(query)
  const type = types[query.readUInt16BE(end - 4) as keyof typeof types]
  const zone = server.zones.get(name)
  const value = type === undefined ? undefined : zone?.[type]
  const data = value === undefined ? undefined : encodeData(type as string, value)
  const head = Buffer.from(query.subarray(0, end))
  const code = server.isBroken ? 2 : zone === undefined ? 3 : 0
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data === undefined ? 0 : 1, 6)
  head.fill(0, 8, 12)
  if (data === undefined || server.isBroken) {
    head.writeUInt16BE(0, 6)
    return head
  }
  const record = Buffer.alloc(12)
  record.writeUInt16BE(0xc00c, 0)
  query.copy(record, 2, end - 4, end)
  record.writeUInt32BE(60, 6)
  record.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, record, data])
}

function readName(query: Buffer): string {
  const labels: string[] = []
  for (let at = 12; query.readUInt8(at) > 0; at += query.readUInt8(at) + 1)
    labels.push(query.toString('latin1', at + 1, at + 1 + query.readUInt8(at)))
  return labels.join('.').toLowerCase()
}

function encodeData(type: string, value: string): Buffer {
  if (type === 'a') return Buffer.from(value.split('.').map(Number))
  const labels = value.split('.').filter(Boolean)
  const name = Buffer.concat([
    ...labels.map(each => Buffer.concat([Buffer.of(each.length), Buffer.from(each)])),
    Buffer.of(0),
  ])
  return type === 'mx' ? Buffer.concat([Buffer.of(0, 10), name]) : name
}
