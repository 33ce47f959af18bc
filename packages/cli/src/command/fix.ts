// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { type Finding, findKnown, type Severity, severities } from '../audit/known.ts'
import { applySteps, installProject } from '../fix/apply.ts'
import { type Market, openMarket } from '../fix/packument.ts'
import { describeUpgrade, makePlan, type Plan, type Step } from '../fix/plan.ts'
import { readReleaseAge } from '../fix/release-age.ts'
import { type Routes, readRoutes } from '../npm-registry.ts'
import { parseArgs } from '../parse-args.ts'
import { openProject, type Project } from '../project.ts'
import { UsageError } from '../usage-error.ts'
import { parseLevel, parseOmitted } from './audit.ts'

const usage = `holdfast fix [FOLDER] [--dry-run] [--test "npm test"] [--yes] [--level low|moderate|high|critical]
             [--omit dev|optional]... [--registry URL] [--json]

Lifts what something is known against to the next version that is free of it, by npm, pnpm, yarn or bun as the lock file
says. Within what is allowed first, then by a newer version of what stands in the way, then by an override. Versions that the
registry hides, or that are younger than the project's own release age, are not chosen. The plan is shown before anything
is written. With --test each step is installed and tried, and taken back where the command fails.

Exit code 0 when nothing is left at the level or above it, 1 when something is, 2 for usage and network.

Example: holdfast fix --level high --test "npm test" --yes
`

const options = {
  registry: { type: 'string' },
  level: { type: 'string', default: 'low' },
  omit: { type: 'string', multiple: true },
  'dry-run': { type: 'boolean' },
  test: { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** A mended package may need another one that something is known against. */
const maxRounds = 4

interface Work {
  readonly routes: Routes
  readonly market: Market
  readonly level: Severity
  readonly omitted: ReadonlySet<string>
  readonly test: string | undefined
  readonly say: (line: string) => void
}

/** Runs `holdfast fix …`: 0 when nothing is left, 1 when something is. */
export async function runFix(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const project = await openProject(positionals[0])
  const routes = await readRoutes(project.folder, values.registry)
  const age = await readReleaseAge(project.folder, project.graph.manager, routes.settings)
  const say = (line: string) => {
    if (!values.json) print(`${clean(line)}\n`)
  }
  const work: Work = {
    routes,
    market: openMarket(routes, age),
    level: parseLevel(values.level),
    omitted: parseOmitted(values.omit ?? []),
    test: values.test,
    say,
  }
  const plan = await planFor(work, project)
  tell(work, plan)
  const isWanted = !values['dry-run'] && plan.steps.length > 0 && (values.yes || (await isAgreed()))
  const done = isWanted ? await carryOut(work, project, plan) : { applied: [], failed: [], left: plan }
  if (values.json) print(`${JSON.stringify(toJson(plan, done))}\n`)
  const isDone = done.left.steps.length === 0 && done.left.unmended.length === 0
  return isDone ? 0 : 1
}

async function findCounted(
  { routes, level, omitted, say }: Work,
  { graph }: Project,
): Promise<readonly Finding[]> {
  const { findings, notices } = await findKnown(graph, routes)
  for (const words of notices) say(words)
  return findings.filter(
    ({ flaw, scope }) =>
      severities.indexOf(flaw.severity) >= severities.indexOf(level) && !omitted.has(scope),
  )
}

async function planFor(work: Work, project: Project): Promise<Plan> {
  return makePlan({ graph: project.graph, ...work }, await findCounted(work, project))
}

function tell({ say }: Work, { steps, unmended }: Plan): void {
  if (steps.length === 0 && unmended.length === 0) say('Nothing to mend.')
  for (const step of steps) {
    for (const each of step.upgrades) say(describeUpgrade(each))
    say(`  mends ${step.flaws.map(({ id, severity }) => `${id} (${severity})`).join(', ')}`)
  }
  for (const { name, version, why, flaws } of unmended)
    say(`${name} ${version} stays: ${why} (${flaws.map(({ id }) => id).join(', ')})`)
}

async function isAgreed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError(
      'nothing is changed without being asked',
      'Add --yes, or --dry-run to see the plan only.',
    )
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asking.question('Do it? [y/N] ')
  asking.close()
  return /^y(es)?$/i.test(answer.trim())
}

interface Done {
  readonly applied: readonly Step[]
  readonly failed: readonly { readonly step: Step; readonly why: string }[]
  /** What a last look finds. */
  readonly left: Plan
}

/** With a test one step after another, each on what the ones before left; else all at once, and one by one where that fails. */
async function carryOut(work: Work, first: Project, plan: Plan): Promise<Done> {
  const applied: Step[] = []
  const failed: Done['failed'][number][] = []
  let [project, left, isSingle] = [first, plan, work.test !== undefined]
  for (let round = 0; round < plan.steps.length * maxRounds; round += 1) {
    const open = left.steps.filter(step => !failed.some(each => keyOf(each.step) === keyOf(step)))
    const steps = isSingle ? open.slice(0, 1) : open
    if (steps.length === 0) break
    const outcome = await applySteps(project, steps, work.test)
    if (!('why' in outcome)) {
      applied.push(...steps)
      project = outcome
      left = await planFor(work, project)
    } else if (steps.length > 1) isSingle = true
    else {
      failed.push(...steps.map(step => ({ step, why: outcome.why })))
      work.say(`Taken back: ${steps.map(keyOf).join(', ')}: ${outcome.why}`)
    }
  }
  const installed =
    work.test === undefined && applied.length > 0 && existsSync(join(project.folder, 'node_modules'))
      ? await installProject(project)
      : undefined
  if (installed !== undefined) work.say(`The lock file is mended, but ${installed.why}`)
  const count = left.steps.length + left.unmended.length
  work.say(
    count === 0 ? 'Done: nothing is left.' : `${count} packages still have something known against them.`,
  )
  return { applied, failed, left }
}

function keyOf({ upgrades }: Step): string {
  return upgrades.map(({ name, from, to }) => `${name} ${from} -> ${to}`).join(', ')
}

function toJson(plan: Plan, { applied, failed, left }: Done): unknown {
  const toStep = ({ upgrades, flaws }: Step) => ({
    upgrades: upgrades.map(({ name, from, to, isOverride }) => ({ name, from, to, override: isOverride })),
    mends: flaws.map(({ id }) => id),
  })
  return {
    plan: plan.steps.map(toStep),
    unmended: plan.unmended.map(({ name, version, why }) => ({ name, version, why })),
    applied: applied.map(toStep),
    failed: failed.map(({ step, why }) => ({ ...toStep(step), why })),
    left: left.steps.length + left.unmended.length,
  }
}

/** Words of strangers go to a terminal: no escape sequences. */
function clean(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, ' ')
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
