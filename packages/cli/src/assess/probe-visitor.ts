// SPDX-License-Identifier: Apache-2.0
import { demand, type ProbeInstance } from './probe.ts'
import { openPerson } from './probe-person.ts'

/** Somebody at a browser: gives the text of a page. */
export type ProbeVisitor = (path: string) => Promise<string>

/** An operator who is signed in at the pages, with more roles where a page asks for them. */
export async function openProbeOperator(
  instance: ProbeInstance,
  ...roles: readonly string[]
): Promise<ProbeVisitor> {
  const { browser } = await openPerson(instance, ['operator', ...roles])
  return async path => {
    const page = await browser.get(path)
    demand(page.status === 200, `${path} must be open to an operator: ${page.status}`)
    return page.text
  }
}
