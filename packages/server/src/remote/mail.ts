// SPDX-License-Identifier: Apache-2.0
import type { Mail } from '../ports.ts'
import { formatLetterHtml } from './letter-html.ts'

/** A relay that does not answer must not hold up the letters behind. */
const patience = { connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 } as const

/** Mail by SMTP where a relay is configured, as text and HTML; else letters stay in the outbox. */
export function openMail(smtp: string | undefined, from: string): Mail {
  if (smtp === undefined) return { kind: 'outbox', deliver: async () => {} }
  return {
    kind: 'smtp',
    async deliver({ to, subject, text }) {
      const { createTransport } = await import('nodemailer')
      const transport = createTransport({ url: smtp, ...patience })
      try {
        await transport.sendMail({
          from,
          to,
          subject,
          text,
          html: formatLetterHtml(text),
          // RFC 3834: holiday answers must not come back to us.
          headers: { 'auto-submitted': 'auto-generated' },
        })
      } finally {
        transport.close()
      }
    },
  }
}
