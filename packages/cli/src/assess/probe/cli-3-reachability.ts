// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { advisoryId, tellAdvisories } from '../probe-advisory.ts'
import { openProbeClient, type ProbeClient, until } from '../probe-client.ts'
import { openProbeProject, type ProbeProject, writeNpmLock } from '../probe-project.ts'

/** Of what is known against a project, the audit says which of it the project gets to, and by which way. */
export const reachability: Probe = { capability: 'cli-3-reachability', run }

const bulk = '/npm/-/npm/v1/security/advisories/bulk'
const wantedRecall = 0.95
const wantedCut = 0.6

/** A package whose `weak` is flawed and whose `fine` is not, and what an application does with it; `F` stands for its name. */
interface Case {
  readonly word: string
  readonly isCalled: boolean
  readonly code: string
}

/** The labels: as many ways to call it as matter, and as many not to. */
export const cases: readonly Case[] = [
  { word: 'named', isCalled: true, code: "import { weak } from 'F'; weak('a')" },
  { word: 'space', isCalled: true, code: "import * as f from 'F'; f.weak('a')" },
  { word: 'renamed', isCalled: true, code: "import { weak as other } from 'F'; const g = other; g('a')" },
  { word: 'late', isCalled: true, code: "const { weak } = await import('F'); weak('a')" },
  { word: 'handed-on', isCalled: true, code: "import { weak } from 'F'; ['a'].map(weak)" },
  {
    word: 'method',
    isCalled: true,
    code: "import { weak } from 'F'; class A { go() { return weak('a') } } new A().go()",
  },
  { word: 'computed', isCalled: true, code: "import * as f from 'F'; f[process.argv[2]]('a')" },
  { word: 'other', isCalled: false, code: "import { fine } from 'F'; fine('a')" },
  { word: 'member', isCalled: false, code: "import * as f from 'F'; f.fine('a')" },
  { word: 'unused', isCalled: false, code: '' },
  { word: 'loaded', isCalled: false, code: "import 'F'" },
  { word: 'dead', isCalled: false, code: "import { weak } from 'F'; export function never() { weak('a') }" },
]

interface Judged {
  readonly name: string
  readonly reach: { readonly answer: string; readonly path: readonly string[] } | null
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const project = await openProbeProject(instance, client)
  try {
    await writeProject(instance, client, project)
    const names = cases.map(each => client.nameOf(each.word))
    await tellAdvisories(
      instance,
      names.map(name => ({ name, fixed: '1.0.1', publishedAt: Date.now() })),
    )
    const body = JSON.stringify({ [names.at(-1) ?? '']: ['1.0.0'] })
    await until(
      async () => (await client.ask('POST', bulk, { body })).body.includes('vulnerable_versions'),
      'the audit must tell what is known',
    )
    return judgeFindings(client.nameOf, await audit(project))
  } finally {
    await project.remove()
  }
}

async function writeProject(
  instance: ProbeInstance,
  client: ProbeClient,
  project: ProbeProject,
): Promise<void> {
  const samples = cases.map(({ word }) => ({ name: client.nameOf(word), version: '1.0.0' }))
  const dependencies = Object.fromEntries(samples.map(({ name }) => [name, '1.0.0']))
  const manifest = { name: 'probe', version: '1.0.0', type: 'module', main: 'index.js', dependencies }
  await project.write('package.json', JSON.stringify(manifest))
  await project.write('package-lock.json', writeNpmLock(instance, manifest, samples))
  for (const { word, code } of cases) {
    const name = client.nameOf(word)
    const folder = `node_modules/${name}`
    await project.write(`${folder}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'lib.js' }))
    await project.write(
      `${folder}/lib.js`,
      'exports.weak = text => new RegExp(text)\nexports.fine = text => text\n',
    )
    await project.write(`use-${word}.js`, code.replaceAll('F', name))
  }
  await project.write('index.js', cases.map(({ word }) => `import './use-${word}.js'\n`).join(''))
  const lines = cases.map(({ word }) => {
    const name = client.nameOf(word)
    return `${advisoryId({ name })}\t${name}\tweak`
  })
  await project.write('symbols.tsv', `${lines.join('\n')}\n`)
}

async function audit(project: ProbeProject): Promise<readonly Judged[]> {
  const ran = await project.holdfast('audit', '--json', '--symbols', 'symbols.tsv')
  demand(ran.code === 1, `the audit must end with 1 where something is known: ${ran.said}`)
  return (JSON.parse(ran.out) as { readonly findings: readonly Judged[] }).findings
}

/** Holds the audit's answers against the labels; throws where too much is missed, or too little told apart. */
export function judgeFindings(nameOf: (word: string) => string, findings: readonly Judged[]): Evidence {
  const answerOf = (word: string) => findings.find(({ name }) => name === nameOf(word))?.reach
  const called = cases.filter(each => each.isCalled)
  const idle = cases.filter(each => !each.isCalled)
  demand(
    cases.every(({ word }) => answerOf(word) !== undefined && answerOf(word) !== null),
    `each of ${cases.length} findings must have an answer`,
  )
  const missed = called.filter(({ word }) => answerOf(word)?.answer === 'not reachable')
  demand(
    missed.length <= called.length * (1 - wantedRecall),
    `what is called must not be called unreachable: ${missed.map(each => each.word).join(', ')}`,
  )
  demand((answerOf('named')?.path.length ?? 0) > 0, 'what is reachable must come with the way there')
  const cut = idle.filter(({ word }) => answerOf(word)?.answer === 'not reachable')
  demand(
    cut.length >= idle.length * wantedCut,
    `false alarms must be cut by ${wantedCut * 100} %: only ${cut.length} of ${idle.length} were`,
  )
  return [
    `${called.length - missed.length} of ${called.length} flaws that are called were kept, ${cut.length} of ${idle.length} that are not were told to be out of reach, by holdfast audit in a project of labelled cases`,
    'recall and false alarms on real packages: npm run evaluate -- --only reachability',
  ]
}
