// SPDX-License-Identifier: Apache-2.0
/** The link that makes the first operator, and the file it waits in. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setUpLink } from '../flow/index.ts'
import type { Ports } from '../main.ts'

/** Where the link lies that went to no terminal. */
export function setUpLinkPath(data: string): string {
  return join(data, 'set-up-link')
}

/**
 * As long as there is no operator, a link that makes the first one: to a terminal, else into a file only we can read, which
 * goes once there is one. Where there was one already, what an earlier start left behind goes too.
 */
export async function offerSetUp(ports: Ports): Promise<void> {
  const file = setUpLinkPath(ports.config.data)
  const link = await setUpLink(ports)
  if (link === undefined) return rm(file, { force: true })
  if (process.stdout.isTTY) {
    process.stdout.write(`Set up this registry (one hour, one use): ${link}\n`)
    return
  }
  await writeFile(file, `${link}\n`, { mode: 0o600 })
  process.stdout.write(`The set-up link (one hour, one use) is in ${file}\n`)
  const stop = ports.store.events.follow(events => {
    if (events.some(({ type }) => ['account', 'account-create', 'grant'].includes(type)))
      void removeWhenUsed()
  })
  const removeWhenUsed = async () => {
    if (!(await ports.store.identity.hasOperator())) return
    stop()
    await rm(file, { force: true })
  }
}
