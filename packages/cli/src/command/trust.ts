// SPDX-License-Identifier: Apache-2.0
import { excerpt, formatVerifierKey, revealHidden } from '@holdfast/core'
import { fetchTrust, listTrust, loadTrust, saveTrust, type Trust } from '../log/trust.ts'
import { parseArgs } from '../parse-args.ts'
import { findRegistry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast trust init URL --root-sha256 HEX [--json]

Pins whom this machine believes about the log of a registry: the log's name and keys, its witnesses and how many of
them must sign, and the keys that sign packages. What the registry says is taken only when its SHA-256 is the one given
here, which comes from the operator by another way: a hand-book, a second channel, a colleague. Without the digest it
prints what the registry says and ends with 2. Exit code 3 when the digest is another one.

holdfast trust show [URL] [--json]

Prints what is pinned. Exit code 2 when nothing is.

Example: holdfast trust show https://registry.example
`

/** Runs `holdfast trust …`: 0 when something is pinned. */
export async function runTrust(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'root-sha256': { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return print(usage)
  const [verb, url] = positionals
  const format = values.json ? formatJson : formatTrust
  if (verb === 'show') return show(url, format)
  if (verb === 'init' && url !== undefined) return init(url, values['root-sha256'], format)
  throw new UsageError(
    'holdfast trust needs to know what to do',
    'Write holdfast trust init URL --root-sha256 HEX.',
  )
}

async function init(place: string, wanted: string | undefined, format: typeof formatTrust): Promise<number> {
  if (wanted !== undefined && !/^[0-9a-f]{64}$/i.test(wanted))
    throw new UsageError(
      `'${excerpt(wanted)}' is no SHA-256`,
      'Give the 64 hexadecimal digits that the operator made known.',
    )
  const found = await fetchTrust(await findRegistry(place))
  if (wanted === undefined) {
    print(format(found))
    process.stderr.write(
      `Nothing is pinned. Compare the digest with the one that the operator made known by another way, then run\n  holdfast trust init ${found.url} --root-sha256 ${found.sha256}\n`,
    )
    return 2
  }
  if (wanted.toLowerCase() !== found.sha256) {
    process.stderr.write(
      `What ${found.url} says about its log has the digest ${found.sha256}, not the one given.\nNothing is pinned. Ask the operator by another way whether it was changed.\n`,
    )
    return 3
  }
  const file = await saveTrust(found)
  return print(format(found) + (format === formatTrust ? `Pinned in ${file}.\n` : ''))
}

async function show(place: string | undefined, format: typeof formatTrust): Promise<number> {
  const pinned = place === undefined ? await listTrust() : [await loadTrust((await findRegistry(place)).url)]
  if (pinned.length === 0)
    throw new UsageError(
      'nothing is pinned on this machine',
      'Run holdfast trust init URL --root-sha256 HEX.',
    )
  return print(pinned.map(format).join(''))
}

function formatTrust({ url, origin, logKeys, policy, npmKeyCount, sha256 }: Trust): string {
  const witnesses = policy.witnesses.map(({ key }) => `  ${formatVerifierKey(key)}`)
  return [
    `${url}`,
    `Log: ${origin}`,
    ...logKeys.map(key => `  ${formatVerifierKey(key)}`),
    `Witnesses: ${policy.isNone ? 'none are asked for' : `${policy.witnesses.length}, a quorum of them must sign`}`,
    ...witnesses,
    `Keys that sign packages: ${npmKeyCount}`,
    `SHA-256 of all this: ${sha256}`,
  ]
    .map(line => `${revealHidden(line)}\n`)
    .join('')
}

function formatJson({ url, sha256, document }: Trust): string {
  return `${JSON.stringify({ url, sha256, document })}\n`
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
