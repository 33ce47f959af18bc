// SPDX-License-Identifier: Apache-2.0
import { text } from 'node:stream/consumers'
import { tokenPattern } from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast token revoke --registry URL [--json]

Reads text from standard input and ends every token of that registry in it, for whoever found them: no account is
needed. Tokens are never given as arguments, where other users of the machine could read them. Exit code 2 when the
registry cannot be asked.

Example: holdfast token revoke --registry https://registry.example < leaked.txt
`

const maxTokens = 100
const withinMs = 30_000

/** Runs `holdfast token …`: 0 when the registry took what was found. */
export async function runToken(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      registry: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return print(usage)
  if (positionals[0] !== 'revoke')
    throw new UsageError(
      'holdfast token needs to know what to do',
      'Write holdfast token revoke --registry URL.',
    )
  // A token typed as an argument stands in the shell's history and in the list of processes.
  if (positionals.length > 1)
    throw new UsageError(
      'tokens are read from standard input, never from arguments',
      'holdfast token revoke --help',
    )
  const registry = values.registry
  if (registry === undefined || !/^https?:\/\//.test(registry))
    throw new UsageError('--registry URL is missing', 'Name the registry, such as https://registry.example.')
  const tokens = [...new Set((await text(process.stdin)).match(new RegExp(tokenPattern, 'g')))]
  for (let at = 0; at < tokens.length; at += maxTokens)
    await revoke(registry, tokens.slice(at, at + maxTokens))
  const sent = tokens.length
  if (values.json) return print(`${JSON.stringify({ registry, sent })}\n`)
  return print(
    sent === 0
      ? 'There is no token in this text.\n'
      : `${sent === 1 ? 'One token was' : `${sent} tokens were`} handed in: what worked at ${new URL(registry).host} works no longer.\n`,
  )
}

async function revoke(registry: string, tokens: readonly string[]): Promise<void> {
  const address = new URL('/api/v1/tokens/revoke', registry)
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tokens }),
    signal: AbortSignal.timeout(withinMs),
  }).catch((error: Error) => {
    throw new UsageError(
      `${address.host} cannot be asked: ${error.message}`,
      'Check the address and try again.',
    )
  })
  if (answer.ok) return
  const { title, hint } = (await answer.json().catch(() => ({}))) as { title?: string; hint?: string }
  throw new UsageError(
    title ?? `${address.host} answered ${answer.status}`,
    hint ?? 'Check the address and try again.',
  )
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
