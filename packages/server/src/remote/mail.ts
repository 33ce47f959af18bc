// SPDX-License-Identifier: Apache-2.0
import type { Mail } from '../ports.ts'

/** Mail by SMTP where a relay is configured, else letters stay in the outbox. */
export function openMail(smtp: string | undefined, from: string): Mail {
  if (smtp === undefined) return { kind: 'outbox', deliver: async () => {} }
  return {
    kind: 'smtp',
    async deliver(letter) {
      const { createTransport } = await import('nodemailer')
      const transport = createTransport(smtp)
      await transport.sendMail({ from, to: letter.to, subject: letter.subject, text: letter.text })
      transport.close()
    },
  }
}
