// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator advisory …`: advisories of this registry's own. */
import { readFile } from 'node:fs/promises'
import { problem } from '@holdfast/core'
import { listOwnAdvisories, publishAdvisory, updateAdvisory, withdrawAdvisory } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator advisory list|publish|update|withdraw [ID] [FILE] [--words WHY] --data DIR

  list                 those that were written here
  publish FILE         publish an OSV document; id and times are given here, and the id is printed
  update ID FILE       say something else under the same id
  withdraw ID          take one back: it stays readable and counts no longer; --words says why`

/** One of the acts above; what it prints. */
export async function advisoryAct(
  ports: Ports,
  { values }: Arguments,
  [act, ...words]: readonly string[],
): Promise<string | undefined> {
  const [id, file] = act === 'publish' ? [undefined, words[0]] : words
  if (act === 'list' && words.length === 0) return list(ports)
  if (act === 'publish' && file !== undefined) return publishAdvisory(ports, operator, await readJson(file))
  if (act === 'update' && id !== undefined && file !== undefined) {
    await updateAdvisory(ports, operator, id, await readJson(file))
    return undefined
  }
  if (act !== 'withdraw' || id === undefined) throw new UsageError(usage)
  await withdrawAdvisory(ports, operator, id, values['words'] ?? '')
  return undefined
}

async function list(ports: Ports): Promise<string> {
  return (await listOwnAdvisories(ports, operator))
    .map(({ id, text, modifiedAt, withdrawnAt }) => {
      const { summary } = JSON.parse(text) as { readonly summary: string }
      const state = withdrawnAt === null ? 'published' : 'withdrawn'
      return `${id}\t${state}\t${new Date(modifiedAt).toISOString()}\t${summary.replace(/\p{Cc}/gu, ' ')}`
    })
    .join('\n')
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw problem('invalid-json', { why: error instanceof Error ? error.message : 'it is no JSON' })
  }
}
