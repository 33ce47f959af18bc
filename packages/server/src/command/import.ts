// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type PackageName, problem } from '@holdfast/core'
import { type ImportOutcome, type ImportWishes, importVersions } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import { type Config, openPorts, type Ports } from '../main.ts'
import { type ImportSource, openTarballFolder } from './import-folder.ts'
import { type OldPlace, oldPlaceOf, openRegistrySource } from './import-registry.ts'
import { isVerdaccioStorage, openVerdaccioStorage } from './import-verdaccio.ts'
import { openProgress } from './progress.ts'
import { type Arguments, configOf, configOptions, readArguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast import PATH --data DIR [--owner LOGIN] [--access public|restricted] [--host-names] [--json]
       holdfast import --from URL [NAME|PATTERN...] [--token-file FILE] --data DIR [the same options]

PATH is a folder with tarballs (.tgz, at any depth; a version is as old as its file), or a Verdaccio storage folder.
URL is a registry that speaks npm's protocol, also on a private network; without names, all that it lists. From both
come times, tags, deprecations, and maintainers who have an account here.

  --token-file F  the token for URL, or user:password; - reads it from standard input. It goes to that host only
  --owner LOGIN   the account that becomes owner of every imported package
  --access KIND   who may read packages that are new here (default: public)
  --past-safeguards REASON  let versions into packages that ask for approvals or proof of a build too; the reason stands
                  in the record, its digest in the log, and owners are told. Without it these versions are refused
  --host-names    host the names that are new here; without it they are refused

What is here with the same bytes is skipped: an import that was stopped is started again. It works beside a running
server. Exit code 1 when something was refused.
Example: holdfast import ./tarballs --data ./data --owner ada --host-names`

const options = {
  ...configOptions,
  from: 'value',
  'token-file': 'value',
  owner: 'value',
  access: 'value',
  'host-names': 'flag',
  'past-safeguards': 'value',
  json: 'flag',
  help: 'flag',
} as const

const longestReason = 500

/** What an import did. */
interface Report {
  readonly imported: number
  readonly packages: number
  readonly sizeBytes: number
  readonly skipped: number
  readonly refused: readonly { source: string; code: string; message: string; hint: string; name: string }[]
  readonly lookAlikes: readonly { name: PackageName; looksLike: PackageName }[]
  readonly notes: readonly string[]
  readonly seconds: number
  readonly versionsPerSecond: number
}

/** `holdfast import`: many versions at once, from tarballs or from Verdaccio. */
export async function runImport(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, usage)
  if (read.flags.has('help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const place = placeOf(read)
  const opened = await openPorts(configFor(place, read))
  try {
    const wishes = await readWishes(opened.ports, read)
    const source = await openSource(opened.ports, place, wishes)
    const report = await importAll(opened.ports, source, wishes, read.flags.has('json'))
    process.stdout.write(
      read.flags.has('json')
        ? `${JSON.stringify(report)}\n`
        : explainImport(report, opened.ports.config.data),
    )
    return report.refused.length > 0 ? 1 : 0
  } finally {
    await opened.close()
  }
}

/** Where versions come from. */
type Place = OldPlace | { readonly folder: string }

function placeOf(read: Arguments): Place {
  const from = read.values['from']
  if (from !== undefined) return oldPlaceOf(from, read)
  if (read.values['token-file'] !== undefined) throw new UsageError('--token-file goes with --from.')
  return { folder: folderOf(read.words) }
}

/** Who names the old registry at the command line means it, wherever it stands; nothing else on a private network is asked. */
function configFor(place: Place, read: Arguments): Config {
  const config = configOf(read)
  if ('folder' in place) return config
  return { ...config, allowPrivateHosts: [...config.allowPrivateHosts, place.host] }
}

async function openSource(ports: Ports, place: Place, wishes: ImportWishes): Promise<ImportSource> {
  if (!('folder' in place)) return openRegistrySource(ports, place, wishes.hostNames)
  const { folder } = place
  return isVerdaccioStorage(folder) ? openVerdaccioStorage(folder) : openTarballFolder(folder)
}

function folderOf(words: readonly string[]): string {
  const [path, ...more] = words
  if (path === undefined || more.length > 0) throw new UsageError(usage)
  const folder = resolve(path)
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new UsageError(`${folder} is not a folder.`)
  return folder
}

async function readWishes(ports: Ports, { values, flags }: Arguments): Promise<ImportWishes> {
  const access = values['access'] ?? 'public'
  if (access !== 'public' && access !== 'restricted')
    throw new UsageError(`--access is public or restricted, not ${access}.`)
  const reason = values['past-safeguards']?.trim()
  if (reason === '') throw new UsageError('--past-safeguards wants the reason in words.')
  const wishes = {
    access,
    hostNames: flags.has('host-names'),
    ...(reason === undefined ? {} : { pastSafeguards: reason.slice(0, longestReason) }),
  } as const
  const login = values['owner']
  if (login === undefined) return wishes
  const owner = await ports.store.identity.findAccountByLogin(login)
  if (owner === undefined) throw problem('user-not-found', { user: login })
  return { ...wishes, ownerId: owner.id }
}

/** Lets everything of a source in, with a progress bar unless `quiet`. */
export async function importAll(
  ports: Ports,
  source: ImportSource,
  wishes: ImportWishes,
  quiet: boolean,
): Promise<Report> {
  const startedAt = performance.now()
  const progress = quiet ? undefined : openProgress(process.stdout, 'importing', 'versions')
  const outcomes: ImportOutcome[] = []
  for await (const outcome of importVersions(ports, operator, source.arrivals, wishes)) {
    outcomes.push(outcome)
    progress?.show(outcomes.length, source.total)
  }
  progress?.clear()
  return sumUp(outcomes, source.notes, (performance.now() - startedAt) / 1000)
}

function sumUp(outcomes: readonly ImportOutcome[], notes: readonly string[], seconds: number): Report {
  const imported = outcomes.filter(each => each.kind === 'imported')
  const lookAlikes = new Map(
    imported.flatMap(({ name, looksLike }) => (looksLike ? [[name, looksLike]] : [])),
  )
  return {
    imported: imported.length,
    packages: new Set(imported.map(each => each.name)).size,
    sizeBytes: imported.reduce((sum, each) => sum + each.sizeBytes, 0),
    skipped: outcomes.filter(each => each.kind === 'skipped').length,
    refused: outcomes
      .filter(each => each.kind === 'refused')
      .map(({ source, problem: { code, message, hint, data } }) => ({
        source,
        code,
        message,
        hint,
        name: String(data['name'] ?? ''),
      })),
    lookAlikes: [...lookAlikes].map(([name, looksLike]) => ({ name, looksLike })),
    notes,
    seconds: Math.round(seconds * 100) / 100,
    versionsPerSecond: Math.round(imported.length / seconds),
  }
}

/** A report in words, with the commands that help. */
export function explainImport(report: Report, data: string): string {
  const lines = [
    `imported ${plural(report.imported, 'version')} of ${plural(report.packages, 'package')} (${formatBytes(report.sizeBytes)}) in ${report.seconds} s, ${report.versionsPerSecond} a second`,
    `skipped  ${report.skipped} that were here already`,
    `refused  ${report.refused.length}`,
    ...report.refused.map(({ source, message }) => `  ${source}: ${message}`),
    ...report.lookAlikes.map(
      ({ name, looksLike }) => `note: '${name}' looks like '${looksLike}'; both are here now`,
    ),
    ...report.notes.map(note => `note: ${note}`),
    ...explainNames(report, data),
    ...explainSafeguards(report),
  ]
  return `${lines.join('\n')}\n`
}

/** The command that hosts the names that were refused, as long as it fits a line that people read. */
function explainNames({ refused }: Report, data: string): string[] {
  const names = [...new Set(refused.filter(each => each.code === 'name-not-hosted').map(each => each.name))]
  if (names.length === 0) return []
  const command = `npx holdfast operator host --data ${quote(data)} ${names.map(quote).join(' ')}`
  const first =
    names.length > 20
      ? `${names.length} names are not hosted here.`
      : `Host the names that were refused: ${command}`
  return [first, 'Then import again; or add --host-names, which hosts every new name.']
}

function explainSafeguards({ refused }: Report): string[] {
  const count = refused.filter(
    each => each.code === 'stage-required' || each.code === 'trust-downgrade',
  ).length
  if (count === 0) return []
  return [
    `${plural(count, 'version')} would go past what a package asks for. Where that is meant: --past-safeguards REASON.`,
  ]
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function formatBytes(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} KiB`
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`
  return `${(bytes / 1024 ** 3).toFixed(2)} GiB`
}
