// SPDX-License-Identifier: Apache-2.0
import { findNearestWord } from '@holdfast/core'
import { UsageError } from './usage-error.ts'
import { ownVersion } from './version.ts'

/** A verb of the command line: its line in the usage text, and how to run it. */
interface Verb {
  readonly line: string
  /** Loads the verb's code only now, so that one verb does not pay for the others. */
  readonly run: (args: string[]) => Promise<number>
}

const verbs: Readonly<Record<string, Verb>> = {
  serve: onServer('serve', 'run the registry'),
  operator: onServer('operator', "act as the machine's owner: invite, host, token, quarantine, …"),
  doctor: onServer('doctor', 'look at an instance and say what is wrong with it'),
  import: onServer('import', 'publish a folder of tarballs or a Verdaccio storage folder'),
  backup: onServer('backup', 'copy an instance while it runs'),
  restore: onServer('restore', 'make an instance from a backup, or verify one'),
  ci: {
    line: 'sign a CI job in by its own identity, to install',
    run: async args => (await import('./command/ci.ts')).runCi(args),
  },
  why: {
    line: 'say why a version can be installed, or cannot',
    run: async args => (await import('./command/why.ts')).runWhy(args),
  },
  diff: {
    line: 'show what changed between two versions of a package',
    run: async args =>
      (await import('./command/diff.ts')).runDiff(
        args,
        (await import('@holdfast/server/command')).readPackageContent,
      ),
  },
  match: {
    line: 'say which advisories of a folder are about a version',
    run: async args =>
      (await import('./command/match.ts')).runMatch(
        args,
        (await import('@holdfast/server/command')).readAdvisories,
      ),
  },
  screen: {
    line: 'look for malware in a package, without running it',
    run: async args =>
      (await import('./command/screen.ts')).runScreen(
        args,
        (await import('@holdfast/server/command')).screenSource,
      ),
  },
  pack: {
    line: 'sign rules and lists of names for others, and check what others signed',
    run: async args => (await import('./command/pack.ts')).runPack(args),
  },
  bundle: {
    line: 'pack versions, advisories and proofs, signed, for an instance without a network',
    run: async args => (await import('./command/bundle.ts')).runBundle(args),
  },
  lookalike: {
    line: 'say whether a name is likely taken for a well-used one',
    run: async args =>
      (await import('./command/lookalike.ts')).runLookalike(
        args,
        (await import('@holdfast/server/command')).findLookAlikes,
      ),
  },
  audit: {
    line: 'show what is known against the versions of a lock file',
    run: async args =>
      (await import('./command/audit.ts')).runAudit(
        args,
        async () => (await (await import('@holdfast/server/command')).loadSyntax()).parseSource,
      ),
  },
  fix: {
    line: 'lift what something is known against by the smallest steps',
    run: async args => (await import('./command/fix.ts')).runFix(args),
  },
  sbom: {
    line: 'print what a project is made of, in CycloneDX or SPDX',
    run: async args => (await import('./command/sbom.ts')).runSbom(args),
  },
  reach: {
    line: 'say whether an application gets to what advisories are about',
    run: async args =>
      (await import('./command/reach.ts')).runReach(
        args,
        (await (await import('@holdfast/server/command')).loadSyntax()).parseSource,
        (await import('@holdfast/server/command')).readAdvisories,
      ),
  },
  report: {
    line: 'report a package or an account to the responders of a registry',
    run: async args => (await import('./command/report.ts')).runReport(args),
  },
  incident: {
    line: 'list, show, note, close and export the cases of a registry',
    run: async args => (await import('./command/incident.ts')).runIncident(args),
  },
  drill: {
    line: 'rehearse an incident on a live registry and measure how fast it is contained',
    run: async args => (await import('./command/drill.ts')).runDrill(args),
  },
  waiver: {
    line: 'ask for an exception from the policy',
    run: async args => (await import('./command/why.ts')).runWaiver(args),
  },
  provenance: {
    line: 'show where a version was built, and what is checked of that',
    run: async args => (await import('./command/provenance.ts')).runProvenance(args),
  },
  policy: {
    line: 'see what the policy does to the versions of a lock file',
    run: async args => (await import('./command/policy.ts')).runPolicy(args),
  },
  verify: {
    line: 'check what lock files name against the log of the registry',
    run: async args => (await import('./command/verify.ts')).runVerify(args),
  },
  log: {
    line: 'audit or watch the log of a registry',
    run: async ([act, ...rest]) =>
      act === 'recover'
        ? onServer('log-recover', '').run(rest)
        : (await import('./command/log.ts')).runLog([...(act === undefined ? [] : [act]), ...rest]),
  },
  trust: {
    line: 'pin whom to believe about the log of a registry',
    run: async args => (await import('./command/trust.ts')).runTrust(args),
  },
  token: {
    line: 'end leaked tokens, for whoever found them',
    run: async args => (await import('./command/token.ts')).runToken(args),
  },
  witness: {
    line: "cosign other people's logs, so that none can show two histories",
    run: async args => (await import('./command/witness.ts')).runWitness(args),
  },
  assess: {
    line: 'run every check of the principles for real and print the levels',
    run: async args =>
      (await import('./command/assess.ts')).runAssess(args, async file =>
        (await import('@holdfast/server/command')).readAssessedSettings(file),
      ),
  },
}

/** Verbs that work on a data folder live in the server; this is the only place that loads it. */
function onServer(verb: string, line: string): Verb {
  return { line, run: async args => (await import('@holdfast/server/command')).runServerCommand(verb, args) }
}

/** Runs one command line and sets the exit code: 0 fine, 1 a check failed, 2 usage, configuration or network, 3 tampering. */
export async function run(args: string[]): Promise<void> {
  try {
    process.exitCode = await dispatch(args)
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`)
    process.exitCode = 2
  }
}

async function dispatch(args: string[]): Promise<number> {
  const [word, ...rest] = args
  if (word === undefined) {
    process.stderr.write(usage())
    return 2
  }
  if (word === '--help' || word === '-h' || word === 'help') return print(usage())
  if (word === '--version') return print(`${ownVersion()}\n`)
  const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined
  if (verb === undefined) throw unknownCommand(word)
  return verb.run(rest)
}

function unknownCommand(word: string): UsageError {
  const meant = findNearestWord(word, Object.keys(verbs))
  const list = 'holdfast --help lists the commands.'
  return new UsageError(
    `there is no command ${word}`,
    meant === undefined ? list : `Did you mean holdfast ${meant}? ${list}`,
  )
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

/** The text of `holdfast --help`: one line for each verb that exists. */
export function usage(): string {
  const width = Math.max(...Object.keys(verbs).map(word => word.length))
  const lines = Object.entries(verbs).map(([word, verb]) => `  ${word.padEnd(width)}  ${verb.line}`)
  return `holdfast <command> [options]\n\n${lines.join('\n')}\n\nholdfast <command> --help says more. --json prints a result for programs.\n`
}

/** What a person sees of an error: expected ones in two lines, a bug with its stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('hint' in error && typeof error.hint === 'string') return `${error.message}\n${error.hint}`.trim()
  // What cannot be opened is somebody's slip in a path, and no bug of ours.
  if ('syscall' in error && 'path' in error) return error.message
  return error.stack ?? error.message
}
