// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import {
  parseNamePattern,
  parsePackageName,
  parseVersion,
  type ReasonCode,
  reasonCodes,
} from '@holdfast/core'
import {
  checkMailDomains,
  createToken,
  ensureAccount,
  eraseLeafDocument,
  hostNames,
  invite,
  inviteMany,
  listAbandonedDomains,
  type Measure,
  markCritical,
  parseInvitees,
  recoverAtMachine,
  setInstanceRoles,
  takeMeasure,
  unhostNames,
  unmarkCritical,
} from '../flow/index.ts'
import { type InstanceRole, operator } from '../identity/index.ts'
import { openPorts, type Ports } from '../main.ts'
import { advisoryAct } from './advisory.ts'
import { assessmentAct } from './assessment.ts'
import { bundleAct } from './bundle.ts'
import { feedAct } from './feed.ts'
import { holdAct } from './hold.ts'
import { keysAct } from './keys.ts'
import { measureAct } from './measure.ts'
import { advisoriesAct, policyAct } from './policy.ts'
import { reviewAct } from './review.ts'
import { robotAct } from './robot.ts'
import { checkNamesAct, checkUpstreamAct } from './upstream.ts'
import {
  type Arguments,
  configOf,
  configOptions,
  duration,
  readArguments,
  suggest,
  UsageError,
} from './usage.ts'
import { userAct } from './user.ts'
import { waiverAct } from './waiver.ts'

const usage = `Usage: holdfast operator <act> --data DIR …

  invite --email ADDRESS [--role operator|responder|auditor]...   print a one-time sign-up link
  invite --csv FILE                      invite everybody in a list: address, then roles; prints address and link
  user show|disable|enable|transfer NAME [--to USER|@ORG]   people who leave: what they could publish, and who gets it
  role NAME [--role operator|responder|auditor]...   roles on this registry; without --role, none
  host [GLOB...]                         names hosted here, such as '@acme/*'; without names, list them
  unhost GLOB...                         make no new names under these here
  token --user NAME --publish GLOB... [--read-only] [--expires 1h]   print a token, at most 24 hours for publishing
  robot list|token|remove ORG[/NAME]     machines of an organisation: a token that stays when people leave
  check-domains                          look at the mail domains that are due, and list the abandoned ones
  recover --user NAME [--second-factor]  print a one-time link that sets a new password; with the option passkeys and second factor go
  quarantine NAME@VERSION --reason CODE [--words TEXT]   stop serving a version, at once
  release NAME@VERSION                   undo quarantine
  measure list|freeze|quarantine|revoke|confirm|undo   close by query, freeze, and be the second person; confirm and undo take an ID
  hold list                              versions that wait for a person's look
  hold release|confirm NAME@VERSION [--words WHY]        let it go, or quarantine it as malware with a case
  mark NAME [--words WHY]                a critical package: only accounts with passkeys change it, from now on
  unmark NAME                            take the mark away
  critical                               list critical packages, marked or among the top 1 % by use
  policy show|apply|enforce|monitor|keep [RULE] [--dry-run]   the rules of the firewall, and what they hide
  waiver list|grant|refuse|end [ID] [--expires 30d]      exceptions that were asked for
  review list|add|remind [--date DAY --scope TEXT --by WHO --findings FILE]   security reviews, for everybody to read
  keys list|rotate --use npm|log [--compromised-since TIME]   keys that this registry signs with, and a new one
  erase-document DIGEST                  forget the text that an entry of the log names by this digest, for ever
  check-upstream NAME...                 ask upstreams about packages now; what they withdrew is quarantined
  check-names                            look now whether private names appeared upstream, and list those that did
  advisories FILE|FOLDER...              take in advisories in OSV format, and lists of bad digests
  feed list|accept|refuse [ID]           where advisories come from, and entries that wait for a person
  advisory list|publish|update|withdraw [ID] [FILE] [--words WHY]   advisories of this registry's own, from OSV documents
  assessment list|keep [FILE]            what holdfast assess self found, signed and shown on /security
  bundle FOLDER --vkey KEY... --log-vkey KEY... [--host-names]   take in what holdfast bundle packed elsewhere, once it is proved
  yank NAME@VERSION --reason CODE [--words TEXT]         resolve to it no longer; exact pins keep working
  unyank NAME@VERSION                    undo yank

The machine's owner may act also while a server runs on the folder; the server follows within a second.
CODE is one of ${reasonCodes.join(', ')}.

Exit code 0 when it is done, 2 when it is not, and why; 3 for a bundle that was changed. With --json what is printed is JSON.
Example: holdfast operator host '@acme/*' --data ./data`

const options = {
  ...configOptions,
  email: 'value',
  role: 'list',
  user: 'value',
  publish: 'list',
  'read-only': 'flag',
  expires: 'value',
  'second-factor': 'flag',
  reason: 'value',
  words: 'value',
  csv: 'value',
  date: 'value',
  scope: 'value',
  by: 'value',
  findings: 'value',
  id: 'value',
  to: 'value',
  confirm: 'value',
  'dry-run': 'flag',
  use: 'value',
  'compromised-since': 'value',
  vkey: 'list',
  'log-vkey': 'list',
  'host-names': 'flag',
  json: 'flag',
  help: 'flag',
} as const

type Act = (ports: Ports, args: Arguments, words: readonly string[]) => Promise<unknown>

const acts: Readonly<Record<string, Act>> = {
  invite: async (ports, { values, lists }) =>
    values['csv'] === undefined
      ? invite(ports, operator, need(values['email'], '--email'), roles(lists['role']))
      : inviteList(ports, values['csv']),
  user: userAct,
  role: async (ports, { lists }, [login]) =>
    setInstanceRoles(ports, operator, need(login, 'NAME'), roles(lists['role'])),
  host,
  unhost: async (ports, _args, words) => {
    await unhostNames(ports, operator, needSome(words, 'GLOB').map(parseNamePattern))
  },
  token,
  robot: robotAct,
  policy: policyAct,
  waiver: waiverAct,
  review: reviewAct,
  feed: feedAct,
  keys: keysAct,
  'erase-document': async (ports, _args, [digest]) =>
    eraseLeafDocument(ports, operator, need(digest, 'DIGEST')),
  advisories: advisoriesAct,
  assessment: assessmentAct,
  bundle: bundleAct,
  advisory: advisoryAct,
  mark: async (ports, { values }, [name]) =>
    markCritical(ports, operator, parsePackageName(need(name, 'NAME')), values['words'] ?? ''),
  unmark: async (ports, _args, [name]) =>
    unmarkCritical(ports, operator, parsePackageName(need(name, 'NAME'))),
  critical,
  'check-domains': checkDomains,
  'check-names': checkNamesAct,
  'check-upstream': checkUpstreamAct,
  recover: async (ports, { values, flags }) =>
    recoverAtMachine(ports, operator, need(values['user'], '--user'), flags.has('second-factor')),
  hold: holdAct,
  measure: measureAct,
  quarantine: measure('quarantine'),
  release: measure('release'),
  yank: measure('yank'),
  unyank: measure('unyank'),
}

/** `holdfast operator`: what the machine's owner may do with the folder at hand; each act is an event. */
export async function operate(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, usage)
  const [name, ...words] = read.words
  if (read.flags.has('help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const act = name !== undefined && Object.hasOwn(acts, name) ? acts[name] : undefined
  if (act === undefined)
    throw new UsageError(
      name === undefined ? usage : `There is no act ${name}.${suggest(name, acts)}\n\n${usage}`,
    )
  const config = configOf(read)
  const isNew = !existsSync(config.data)
  const opened = await openPorts(config)
  if (isNew) process.stderr.write(`${config.data} was not there: this is a new registry.\n`)
  try {
    const result = await act(opened.ports, read, words)
    if (result !== undefined)
      process.stdout.write(`${read.flags.has('json') ? JSON.stringify({ result }) : result}\n`)
    return 0
  } finally {
    await opened.close()
  }
}

async function checkDomains(ports: Ports): Promise<string> {
  if (ports.domains === undefined)
    throw new UsageError('Configure `rdap` first: nobody looks at mail domains yet.')
  await checkMailDomains(ports)
  const found = await listAbandonedDomains(ports, operator)
  return found.map(({ domain, addresses }) => `${domain.domain} ${addresses}`).join('\n')
}

async function host(ports: Ports, _args: Arguments, words: readonly string[]): Promise<string | undefined> {
  if (words.length === 0) return (await ports.store.catalog.listHosted()).join('\n')
  await hostNames(ports, operator, words.map(parseNamePattern))
  return undefined
}

async function token(ports: Ports, { values, lists, flags }: Arguments): Promise<string> {
  const account = await ensureAccount(ports, operator, need(values['user'], '--user'))
  const readOnly = flags.has('read-only')
  const globs = lists['publish'] ?? []
  if (!readOnly && globs.length === 0)
    throw new UsageError(`Say which names it may publish: --publish GLOB..., or --read-only.\n\n${usage}`)
  const { secret } = await createToken(ports, operator, account, {
    name: 'made by the operator',
    limits: {
      permission: readOnly ? 'read-only' : 'read-write',
      ...(globs.length > 0 ? { packages: globs.map(parseNamePattern) } : {}),
      bypassTfa: true,
    },
    lifeMs: duration(values['expires'] ?? '1h'),
  })
  return secret
}

function measure(kind: Measure): Act {
  return async (ports, { values }, [spec]) => {
    const at = spec?.lastIndexOf('@') ?? -1
    if (spec === undefined || at < 1) throw new UsageError(`Name one version, as NAME@VERSION.\n\n${usage}`)
    const subject = { name: parsePackageName(spec.slice(0, at)), version: parseVersion(spec.slice(at + 1)) }
    const undoing = kind === 'release' || kind === 'unyank'
    const code = undoing ? (values['reason'] ?? 'request') : need(values['reason'], '--reason')
    if (!isReason(code)) throw new UsageError(`--reason is one of ${reasonCodes.join(', ')}.`)
    await takeMeasure(ports, operator, kind, subject, { code, words: values['words'] ?? code })
  }
}

async function inviteList(ports: Ports, path: string): Promise<string> {
  const outcomes = await inviteMany(ports, operator, parseInvitees(readFileSync(path, 'utf8')))
  return outcomes.map(each => `${each.email}\t${'link' in each ? each.link : each.why}`).join('\n')
}

async function critical(ports: Ports): Promise<string> {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  const listed = await ports.store.identity.listCritical()
  return listed
    .map(each => `${each.package}\t${each.source}\tfrom ${day(each.bindsAt)}\t${each.why}`)
    .join('\n')
}

function isReason(code: string): code is ReasonCode {
  return (reasonCodes as readonly string[]).includes(code)
}

function roles(given: readonly string[] | undefined): InstanceRole[] {
  return (given ?? []).map(role => {
    if (role === 'operator' || role === 'responder' || role === 'auditor') return role
    throw new UsageError(`--role is operator, responder or auditor, not ${role}.`)
  })
}

function need(value: string | undefined, option: string): string {
  if (value === undefined || value === '') throw new UsageError(`${option} is missing.\n\n${usage}`)
  return value
}

function needSome(words: readonly string[], what: string): readonly string[] {
  if (words.length === 0) throw new UsageError(`${what} is missing.\n\n${usage}`)
  return words
}
