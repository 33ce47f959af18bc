// SPDX-License-Identifier: Apache-2.0
import { revealHidden } from '@holdfast/core'
import { type BundleCheck, checkBundleOf, type ToldBundle } from '../bundle.ts'
import { reportMisbehaviour } from '../log/misbehaviour.ts'
import { parseArgs } from '../parse-args.ts'
import { askRegistry, findRegistry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast provenance show PACKAGE@VERSION [--registry URL] [--json]

Shows where a version was built, as far as it was proved, and what this machine checked of that itself: that the bundle
which the registry serves is the one it tells of, is about these very bytes, and stands in the log of the registry
(proved where something is pinned with holdfast trust init). Sigstore's signatures were checked by the registry; to check
them on your machine run npm audit signatures.

Exit code 0 when there is provenance that holds, 1 when there is none or a check failed, 3 when the log misbehaves.

Example: holdfast provenance show @acme/ui@1.1.0
`

interface Told {
  readonly name: string
  readonly version: string
  readonly origin: string
  readonly integrity: string
  readonly state: 'none' | 'verified' | 'broken' | 'unverified'
  readonly why: string
  readonly build: Readonly<Record<string, string>> | null
  readonly slsa: { readonly level: number; readonly why: string }
  readonly isDeclared: boolean | null
  readonly sourceGoneSince: number | null
  readonly bundle: ToldBundle | null
  readonly loweredFrom: string | null
  readonly demand: {
    readonly level: string
    readonly sources: readonly { readonly repository: string }[]
    readonly lowering: { readonly level: string; readonly startsAt: number } | null
  } | null
}

/** Runs `holdfast provenance …`. */
export async function runProvenance(args: string[]): Promise<number> {
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
  const [verb, spec = ''] = positionals
  const at = spec.lastIndexOf('@')
  if (verb !== 'show' || at < 1)
    throw new UsageError(
      'holdfast provenance needs to know what to show',
      'Write holdfast provenance show PACKAGE@VERSION.',
    )
  return reportMisbehaviour(() => show(spec.slice(0, at), spec.slice(at + 1), values))
}

async function show(
  name: string,
  version: string,
  { registry: place, json }: { readonly registry?: string | undefined; readonly json?: boolean | undefined },
): Promise<number> {
  const registry = await findRegistry(place, name)
  const told = (await askRegistry(registry, 'GET', `provenance/npm/${name}/${version}`)) as Told
  const { bundle, integrity } = told
  const checks =
    bundle === null ? [] : await checkBundleOf(registry, { name, version, integrity, sha256: bundle.sha256 })
  print(
    json ? `${JSON.stringify({ ...told, checks })}\n` : `${describe(told, checks).map(clean).join('\n')}\n`,
  )
  return told.state === 'verified' && checks.every(({ state }) => state !== 'fails') ? 0 : 1
}

function describe(told: Told, checks: readonly BundleCheck[]): string[] {
  return [
    `${told.name}@${told.version}: ${headline(told)}`,
    ...buildLines(told),
    ...(told.loweredFrom === null
      ? []
      : [`Trust lowered: versions before it showed more (${told.loweredFrom}).`]),
    ...(checks.length === 0 ? [] : ['Checked by this machine:']),
    ...checks.map(({ what, state, why }) => `  ${marks[state]} ${what}${why === '' ? '' : `: ${why}`}`),
    ...demandLines(told.demand),
  ]
}

const marks = { holds: '✓', fails: '✕', open: '–' } as const

function headline({ state, why, bundle }: Told): string {
  switch (state) {
    case 'none':
      return 'nobody proves where it was built.'
    case 'broken':
      return `its provenance does not hold: ${why}`
    case 'unverified':
      return `its provenance was not verified: ${why}`
    case 'verified':
      return bundle === null
        ? 'the registry verified its provenance.'
        : `the registry verified its provenance at ${iso(bundle.verifiedAt)}, under the trust root ${bundle.root.slice(0, 16)}…`
  }
}

function buildLines({ build, slsa, isDeclared, sourceGoneSince, bundle }: Told): string[] {
  if (build === null) return []
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['built from', build['repository']],
    ['source gone', sourceGoneSince === null ? '' : `since ${iso(sourceGoneSince)}`],
    ['commit', build['commit']],
    ['ref', build['ref']],
    ['workflow', build['workflow']],
    ['run', build['run']],
    ['runner', build['runner']],
    ['vouched for', build['issuer']],
    ['signed at', bundle === null ? '' : iso(bundle.signedAt)],
    ['SLSA build', `level ${slsa.level}: ${slsa.why}`],
    ['package.json', isDeclared === null ? '' : `names ${isDeclared ? 'this' : 'another'} repository`],
  ]
  return facts.filter(([, value]) => value).map(([label, value]) => `  ${label.padEnd(12)}  ${value}`)
}

function demandLines(demand: Told['demand']): string[] {
  if (demand === null || demand.level === 'none') return []
  const from = demand.sources.map(each => each.repository).join(' or ')
  const lines = [
    `The next version must show at least: ${demand.level}${from === '' ? '' : `, from ${from}`}.`,
  ]
  if (demand.lowering === null || demand.lowering.startsAt <= Date.now()) return lines
  return [...lines, `Its owners lower that to ${demand.lowering.level} at ${iso(demand.lowering.startsAt)}.`]
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

/** Words of strangers go to a terminal: no escape sequences. */
function clean(text: string): string {
  return revealHidden(text)
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
