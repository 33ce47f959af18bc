// SPDX-License-Identifier: Apache-2.0
/** A mail server for probes (RFC 5321, as much as a relay needs): takes every letter and reads its text. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A letter as it arrived. */
export interface SinkLetter {
  readonly to: string
  readonly subject: string
  readonly text: string
}

export interface MailSink {
  /** For `HOLDFAST_SMTP`. */
  readonly url: string
  /** The newest letter to this address about this that says so, or undefined when none comes within ten seconds. */
  find(to: string, subject: RegExp, says?: RegExp, withinMs?: number): Promise<SinkLetter | undefined>
  close(): void
}

const waitMs = 10_000
const stepMs = 50

/** Opens one on a loopback port. */
export async function openMailSink(): Promise<MailSink> {
  const letters: SinkLetter[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.once('close', () => sockets.delete(socket)).on('error', () => {}))
    converse(socket, letters)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async find(to, subject, says = /./, withinMs = waitMs) {
      for (let left = withinMs; left > 0; left -= stepMs) {
        const found = letters.findLast(
          each => each.to === to && subject.test(each.subject) && says.test(each.text),
        )
        if (found !== undefined) return found
        await delay(stepMs)
      }
      return undefined
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function converse(socket: Socket, letters: SinkLetter[]): void {
  let pending = ''
  let to: string[] = []
  let isData = false
  socket.setEncoding('latin1').write('220 sink\r\n')
  socket.on('data', (piece: string) => {
    pending += piece
    for (;;) {
      const end = isData ? pending.indexOf('\r\n.\r\n') : pending.indexOf('\r\n')
      if (end < 0) return
      const [unit, rest] = [pending.slice(0, end), pending.slice(end + (isData ? 5 : 2))]
      pending = rest
      if (isData) for (const each of to) letters.push(readLetter(each, unit))
      const word = isData ? '.' : unit.slice(0, 4).toUpperCase()
      if (word === 'RCPT') to.push(/<([^>]*)>/.exec(unit)?.[1] ?? '')
      if (word === 'MAIL') to = []
      isData = word === 'DATA'
      socket.write(word === 'DATA' ? '354 go on\r\n' : word === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n')
    }
  })
}

/** RFC 5322 and the parts of MIME that a text in a multipart letter needs. */
function readLetter(to: string, raw: string): SinkLetter {
  const { headers, body } = split(raw.replace(/\r\n\.\./g, '\r\n.'))
  const boundary = /boundary="?([^";]+)/i.exec(headers.get('content-type') ?? '')?.[1]
  const parts = boundary === undefined ? [] : body.split(`--${boundary}`).map(part => split(part.trimStart()))
  const text = parts.find(part => /^text\/plain/i.test(part.headers.get('content-type') ?? '')) ?? {
    headers,
    body,
  }
  return { to, subject: decodeWords(headers.get('subject') ?? ''), text: decodeBody(text) }
}

interface Part {
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

function split(text: string): Part {
  const end = text.indexOf('\r\n\r\n')
  const lines = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const pairs = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { headers: new Map(pairs), body: text.slice(end + 4) }
}

function decodeBody({ headers, body }: Part): string {
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase()
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  return encoding === 'quoted-printable' ? decodeQuoted(body.replace(/=\r\n/g, '')) : body
}

function decodeQuoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** RFC 2047: subjects beyond ASCII. */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decodeQuoted(word.replaceAll('_', ' ')),
    )
}
