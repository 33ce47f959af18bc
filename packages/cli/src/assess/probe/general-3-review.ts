// SPDX-License-Identifier: Apache-2.0
import { openMailSink } from '../mail-sink.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { type FormBrowser, openFormBrowser, openPerson } from '../probe-person.ts'

/** Security reviews stand in a public register with dates, findings and remedies, which turns red after 12 months. */
export const reviews: Probe = { capability: 'general-3-review', run }

const dayMs = 24 * 3600_000
const scope = 'Sign-in and tokens'
const register = '/security/reviews'

async function run(shared: ProbeInstance): Promise<Evidence> {
  const sink = await openMailSink()
  try {
    const instance = await shared.startOther({ HOLDFAST_SMTP: sink.url })
    const { browser, email } = await openPerson(instance, ['operator'])
    const visitor = openFormBrowser(instance)
    const empty = await visitor.get(register)
    demand(/No review is on record/.test(empty.text), 'a register without a review must say so')
    await enter(browser, 400, 'high | Tokens in a log | no longer written | open')
    await checkOverdue(instance, visitor)
    const letter = await sink.find(email, /security review is due/i)
    demand(letter !== undefined, 'operators must be reminded of a review that is overdue')
    await enter(browser, 1, 'low | A header too many | removed | fixed')
    await checkCurrent(visitor)
    return [
      'the register is public and says when there is no review, with a year-old one that it is overdue',
      'operators are reminded by mail',
      'a new review shows with its day, scope, findings, remedies and what became of them',
    ]
  } finally {
    sink.close()
  }
}

function dayBefore(days: number): string {
  return new Date(Date.now() - days * dayMs).toISOString().slice(0, 10)
}

async function enter(browser: FormBrowser, days: number, findings: string): Promise<void> {
  const fields = { date: dayBefore(days), scope, reviewer: 'Probe', findings }
  const entered = await browser.post('/operate/reviews', fields)
  demand(entered.status === 303, `an operator must be able to enter a review: ${entered.status}`)
}

async function checkOverdue(instance: ProbeInstance, visitor: FormBrowser): Promise<void> {
  const { text } = await visitor.get(register)
  demand(/Overdue/.test(text), 'a register whose newest review is older than 12 months must say so')
  const security = await visitor.get('/security')
  const row = security.text.split('id="general-3-review"')[1]?.split('</tr>')[0] ?? ''
  demand(/not here/.test(row), 'the page of capabilities must be red for it')
  await instance.operate('review', 'remind')
}

async function checkCurrent(visitor: FormBrowser): Promise<void> {
  const { text } = await visitor.get(register)
  demand(!/Overdue/.test(text), 'a register with a young review must not be overdue')
  for (const word of [dayBefore(1), scope, 'A header too many', 'removed', 'fixed', 'Tokens in a log'])
    demand(text.includes(word), `the register must show ${word}`)
}
