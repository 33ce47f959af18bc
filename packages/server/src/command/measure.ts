// SPDX-License-Identifier: Apache-2.0
import {
  confirmMeasure,
  contain,
  listMeasures,
  parseDraft,
  parseRevocation,
  previewMeasure,
  previewRevocation,
  revokeMeans,
  undoMeasure,
} from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `holdfast operator measure list
holdfast operator measure freeze SUBJECT --reason CODE      registry, publishing, sign-up, proxying, package:NAME, scope:@NAME, account:LOGIN, …
holdfast operator measure block hash=HASH|indicator=TEXT --reason CODE   refuse these bytes wherever they are, or what has this text in it as it comes in
holdfast operator measure quarantine KEY=VALUE... --reason CODE   package, version, origin, publisher, token, since, until, hash, indicator; with --dry-run only names them
holdfast operator measure revoke [account=LOGIN|publisher=ID|package=NAME|token=ID] [since=TIME] [until=TIME] --reason CODE   ends tokens and sessions for good, of everybody with --confirm everything
holdfast operator measure confirm|undo ID                   as the second person`

/** `holdfast operator measure`: what the machine's owner closes, confirms, and opens as the second person. */
export async function measureAct(ports: Ports, args: Arguments, words: readonly string[]): Promise<string> {
  const [act, ...rest] = words
  const [what = ''] = rest
  if (act === 'list') return list(ports)
  if (act === 'freeze') return take(ports, args, { kind: 'freeze', subject: what })
  if (act === 'block') return take(ports, args, { kind: 'block', ...pairs(rest) })
  if (act === 'quarantine') return take(ports, args, { kind: 'quarantine', ...pairs(rest) })
  if (act === 'revoke') return revoke(ports, args, pairs(rest))
  if (act === 'undo') return undoMeasure(ports, operator, what)
  if (act !== 'confirm') throw new UsageError(usage)
  await confirmMeasure(ports, operator, what)
  return 'confirmed'
}

async function take(
  ports: Ports,
  { values, flags }: Arguments,
  what: Readonly<Record<string, string>>,
): Promise<string> {
  const { reason, words, confirm } = values
  const draft = parseDraft({ ...what, reason, words, confirm })
  if (!flags.has('dry-run')) {
    const { id, count } = await contain(ports, operator, draft)
    return what['kind'] !== 'quarantine' ? id : `${id}\t${count} versions`
  }
  const { count, versions } = await previewMeasure(ports, operator, draft)
  return [`${count} versions`, ...versions.map(({ name, version }) => `${name}@${version}`)].join('\n')
}

async function revoke(
  ports: Ports,
  { values, flags }: Arguments,
  what: Readonly<Record<string, string>>,
): Promise<string> {
  const { query, why } = parseRevocation({
    ...what,
    reason: values['reason'],
    words: values['words'],
    confirm: values['confirm'],
  })
  const { holders, tokens, sessions } = flags.has('dry-run')
    ? await previewRevocation(ports, operator, query)
    : await revokeMeans(ports, operator, query, why)
  return `${tokens.length} tokens and ${sessions.length} sessions of ${holders.join(', ') || 'everybody'}`
}

async function list(ports: Ports): Promise<string> {
  const time = (at: number | null) => (at === null ? '' : new Date(at).toISOString())
  return (await listMeasures(ports, operator))
    .map(each => {
      const state = each.undoneAt === null ? `until ${time(each.lapsesAt) || 'two people open it'}` : 'ended'
      return `${each.id}\t${each.kind}\t${each.subject}\t${each.actor}\t${state}`
    })
    .join('\n')
}

function pairs(words: readonly string[]): Readonly<Record<string, string>> {
  const known = [
    'package',
    'version',
    'origin',
    'publisher',
    'token',
    'since',
    'until',
    'hash',
    'indicator',
    'account',
  ]
  return Object.fromEntries(
    words.map(word => {
      const at = word.indexOf('=')
      if (!known.includes(word.slice(0, at))) throw new UsageError(usage)
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}
