// SPDX-License-Identifier: Apache-2.0
/**
 * The README's test command: every test, or the files named on the command line. The last line it prints is
 * `N passed, N failed`, with `, N skipped` when something could not run here. With CI=true nothing may be skipped.
 */
import { glob } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import type { EventData } from 'node:test'
import { run } from 'node:test'
import { inspect } from 'node:util'
import { sharePostgres } from '../packages/server/test/postgres.ts'
import { checkNodeVersion } from './node-version.ts'
import { setUp } from './setup.ts'
import { isTogether, shareProcesses } from './together.ts'

const root = join(import.meta.dirname, '..')
const everything = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'test/**/*.test.ts',
  'scripts/**/*.test.ts',
]

/** Begun first, the longest before the others, so that none of them is what everybody waits for at the end. */
const long = [
  'packages/server/test/client/client.test.ts',
  'packages/cli/test/every-probe.test.ts',
  'packages/server/test/client/project.test.ts',
  'packages/server/test/fault/kill.test.ts',
  'packages/server/test/property/*.test.ts',
  'packages/server/test/fault/*.test.ts',
  'packages/server/test/client/*.test.ts',
  'packages/server/test/flow/{behaviour,race,throttle}.test.ts',
  'packages/cli/test/*.test.ts',
  'packages/server/test/web/{authenticator,browser,ci-snippet,log-page}.test.ts',
  'packages/server/test/command/*.test.ts',
  'packages/core/src/tlog/tree.test.ts',
]

const counts = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []
/** How many tests each file had. */
const testsOf = new Map<string, number>()

checkNodeVersion()
for (const line of setUp().missing) say(`! ${line}`)
await runTests(process.argv.slice(2))

async function runTests(named: string[]): Promise<void> {
  // Each file is a process that loads most of the server, and so is much of what it starts.
  process.env['NODE_COMPILE_CACHE'] ??= join(root, '.cache/compile')
  // Without one the tests that need it say so.
  if (named.length === 0) await sharePostgres().catch(() => {})
  const first = await listFiles(named.length > 0 ? named : long)
  const others = named.length > 0 ? [] : (await listFiles(everything)).filter(file => !first.includes(file))
  const stream = run({
    cwd: root,
    files: [...first, ...(await shareProcesses(others))],
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      `--import=${join(root, 'packages/cli/bin/resolve-imports.js')}`,
    ],
    // Not one per core less one, as by default: tests wait for disks, children and time-outs a quarter of their time.
    concurrency: availableParallelism() + 1,
    timeout: 900_000,
  })
  stream.on('test:pass', countPass)
  stream.on('test:fail', countFail)
  stream.on('test:stderr', output => process.stderr.write(output.message))
  stream.on('test:summary', sayFile)
  stream.on('end', finish)
  stream.resume()
}

/** What the patterns name, each file once, in their order. */
async function listFiles(patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    const files: string[] = []
    for await (const file of glob(pattern, { cwd: root })) files.push(resolve(root, file))
    for (const file of files.sort()) found.add(file)
  }
  return [...found]
}

function countPass(event: EventData.TestPass): void {
  if (event.details.type === 'suite') {
    sayShared(event, true)
    return
  }
  count(event)
  const isLeftOut = event.skip !== undefined || event.todo !== undefined
  if (isLeftOut)
    say(`skipped: ${place(event)} ${event.name}${typeof event.skip === 'string' ? ` (${event.skip})` : ''}`)
  counts[isLeftOut ? 'skipped' : 'passed'] += 1
}

function countFail(event: EventData.TestFail): void {
  const error = event.details.error
  // A parent fails with its child; the child has said why and is counted.
  if (event.details.type === 'suite') sayShared(event, false)
  if ('failureType' in error && error.failureType === 'subtestsFailed') return
  count(event)
  counts.failed += 1
  failures.push(`FAILED: ${place(event)} ${event.name}`)
  say(`${failures.at(-1)}\n${inspect(error.cause ?? error, { depth: 5 })}\n`)
}

function count({ file = '' }: { file?: string }): void {
  testsOf.set(file, (testsOf.get(file) ?? 0) + 1)
}

function place(event: { file?: string; line?: number }): string {
  return event.file === undefined ? '' : `${relative(root, event.file)}:${event.line ?? 1}`
}

/** One of several files in a process; a suite of a file says nothing here. */
function sayShared(
  { name, nesting, file, details }: EventData.TestPass | EventData.TestFail,
  isFine: boolean,
): void {
  if (nesting > 0 || file === undefined || !isTogether(file)) return
  tellFile(name, isFine, testsOf.get(join(root, name)) ?? 0, details.duration_ms)
}

function sayFile({
  file,
  counts: { tests, skipped, todo },
  success,
  duration_ms,
}: EventData.TestSummary): void {
  if (file === undefined || isTogether(file)) return
  tellFile(relative(root, file), success, tests - skipped - todo, duration_ms)
}

function tellFile(file: string, isFine: boolean, tests: number, durationMs: number): void {
  say(`${isFine ? 'ok  ' : 'FAIL'} ${file}: ${tests} tests, ${(durationMs / 1000).toFixed(1)} s`)
}

function finish(): void {
  const { passed, failed, skipped } = counts
  // CI has everything, so something skipped there is something that nobody checks.
  const isComplete = skipped === 0 || process.env['CI'] !== 'true'
  if (!isComplete) say('CI=true, and tests were skipped: this counts as a failure.')
  if (passed + failed === 0) say('No test ran: this counts as a failure.')
  // Once more, where whoever looks at the end of a long run finds them.
  for (const line of failures) say(line)
  process.exitCode = failed === 0 && passed > 0 && isComplete ? 0 : 1
  say(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
