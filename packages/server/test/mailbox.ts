// SPDX-License-Identifier: Apache-2.0
/** A real mail server on a loopback port that takes every letter, and reads it as mail programs do. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** One letter as it arrived. */
export interface ReceivedLetter {
  /** Of the envelope: where it really went. */
  readonly to: readonly string[]
  readonly mail: ParsedMail
  readonly html: string
}

/** The mail server of a test. */
export interface Mailbox {
  /** For the configuration: `smtp://127.0.0.1:<port>`. */
  readonly url: string
  readonly letters: readonly ReceivedLetter[]
  /** While true every letter is refused for now. */
  isDown: boolean
  /** Waits for a letter to this address with this subject. */
  wait(to: string, subject: RegExp): Promise<ReceivedLetter>
  close(): Promise<void>
}

/** Opens one. */
export async function openMailbox(): Promise<Mailbox> {
  const letters: ReceivedLetter[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: (_address, _session, done) =>
      done(box.isDown ? Object.assign(new Error('come back later'), { responseCode: 451 }) : null),
    onData(stream, session, done) {
      simpleParser(stream).then(mail => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        letters.push({ to, mail, html: mail.html === false ? '' : (mail.html ?? '') })
        done()
      }, done)
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const find = (to: string, subject: RegExp) =>
    letters.findLast(each => each.to.includes(to) && subject.test(each.mail.subject ?? ''))
  const box: Mailbox = {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    letters,
    isDown: false,
    async wait(to, subject) {
      for (let tries = 0; tries < 200; tries++) {
        const found = find(to, subject)
        if (found !== undefined) return found
        await delay(50)
      }
      const seen = letters.map(each => `${each.to}: ${each.mail.subject}`).join('\n')
      throw new Error(`no letter to ${to} about ${subject} came; there are:\n${seen}`)
    },
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
  return box
}
