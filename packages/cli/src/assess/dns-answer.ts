// SPDX-License-Identifier: Apache-2.0
/** The few lines of a name server (RFC 1035, section 4) that probes and tests answer with. */

const types = { 1: 'a', 2: 'ns', 15: 'mx' } as const
const codes = { found: 0, broken: 2, missing: 3 } as const

/** What is asked for: an address, the name servers or the mail servers of a domain. */
export type RecordType = (typeof types)[keyof typeof types]

/** What a name server knows: whether the domain is there, and the value of the record that was asked for. */
export interface DnsFinding {
  readonly state: keyof typeof codes
  readonly value?: string | undefined
}

/** The question again, and what `look` has of it. */
export function answerDns(
  query: Buffer,
  look: (name: string, type: RecordType | undefined) => DnsFinding,
): Buffer {
  const end = query.indexOf(0, 12) + 5
  const type = types[query.readUInt16BE(end - 4) as keyof typeof types]
  const { state, value } = look(readName(query), type)
  const hasRecord = state === 'found' && type !== undefined && value !== undefined
  const data = hasRecord ? encodeData(type, value) : undefined
  const head = Buffer.from(query.subarray(0, end))
  head.writeUInt16BE(0x8180 | codes[state], 2)
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

function encodeData(type: RecordType, value: string): Buffer {
  if (type === 'a') return Buffer.from(value.split('.').map(Number))
  const labels = value.split('.').filter(Boolean)
  const name = Buffer.concat([
    ...labels.map(each => Buffer.concat([Buffer.of(each.length), Buffer.from(each)])),
    Buffer.of(0),
  ])
  return type === 'mx' ? Buffer.concat([Buffer.of(0, 10), name]) : name
}
