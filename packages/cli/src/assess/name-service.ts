// SPDX-License-Identifier: Apache-2.0
/** A name server (RFC 1035) and an RDAP service (RFC 9083) for probes: domains exist when they are added. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

const mx = 15
const ns = 2

/** Opens both on loopback ports. */
export async function openNameService(): Promise<NameService> {
  const domains = new Map<string, string>()
  const asked: string[] = []
  const dns = createSocket('udp4')
  dns.on('message', (query, from) => dns.send(answer(domains, query), from.port, from.address))
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

/** The question again, with one record for mail and name servers of a domain that exists, else that it does not. */
function answer(domains: ReadonlyMap<string, string>, query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5
  const type = query.readUInt16BE(end - 4)
  const exists = domains.has(readName(query))
  const data = exists && (type === mx || type === ns) ? encodeHost(type) : undefined
  const head = Buffer.from(query.subarray(0, end))
  head.writeUInt16BE(exists ? 0x8180 : 0x8183, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data === undefined ? 0 : 1, 6)
  head.fill(0, 8, 12)
  if (data === undefined) return head
  const record = Buffer.alloc(12)
  // The name of the question, by its place in the message.
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

function encodeHost(type: number): Buffer {
  const labels = ['host', 'example'].map(each => Buffer.concat([Buffer.of(each.length), Buffer.from(each)]))
  return Buffer.concat([...(type === mx ? [Buffer.of(0, 10)] : []), ...labels, Buffer.of(0)])
}
