// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import type { Clock, Outbound, ReportKeys } from '../ports.ts'

const goodForMs = 3600_000
/** An unknown key is looked for anew, but not with each report of somebody who makes them up. */
const againAfterMs = 60_000

const shape = v.object({
  public_keys: v.array(v.object({ key_identifier: v.string(), key: v.string() })),
})

/** Keys from a file or an https address, in the form of GitHub's `/meta/public_keys/secret_scanning`; remembered for an hour. */
export function openReportKeys(from: string, outbound: Outbound, clock: Clock): ReportKeys {
  let keys: ReadonlyMap<string, string> = new Map()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  const readAnew = async () => {
    readAt = clock()
    keys = parseKeys(await readText(from, outbound))
  }
  const refresh = () => {
    reading ??= readAnew().finally(() => {
      reading = undefined
    })
    return reading
  }
  return {
    async find(id) {
      const age = clock() - readAt
      if (reading !== undefined || age > (keys.has(id) ? goodForMs : againAfterMs)) await refresh()
      return keys.get(id)
    },
  }
}

async function readText(from: string, outbound: Outbound): Promise<string> {
  if (!/^https?:/.test(from)) return readFile(from, 'utf8')
  const { status, bytes } = await outbound.ask({ url: from, headers: { accept: 'application/json' } })
  if (status !== 200) throw problem('unavailable', { why: `${new URL(from).host} gave no keys (${status})` })
  return Buffer.from(bytes).toString('utf8')
}

function parseKeys(text: string): ReadonlyMap<string, string> {
  const { public_keys } = v.parse(shape, JSON.parse(text))
  return new Map(public_keys.map(each => [each.key_identifier, each.key]))
}
