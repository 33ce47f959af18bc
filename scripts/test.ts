// SPDX-License-Identifier: Apache-2.0
/**
 * The README's test command: every test, or the files named on the command line. The last line it prints is
 * `N passed, N failed`, with `, N skipped` when something could not run here. With CI=true nothing may be skipped.
 */
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import type { EventData } from 'node:test'
import { run } from 'node:test'
import { inspect } from 'node:util'
import { checkNodeVersion } from './node-version.ts'
import { setUp } from './setup.ts'

const root = join(import.meta.dirname, '..')
const everything = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'test/**/*.test.ts',
  'scripts/**/*.test.ts',
]

const counts = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []

checkNodeVersion()
for (const line of setUp().missing) say(`! ${line}`)
runTests(process.argv.slice(2))

function runTests(named: string[]): void {
  // Each file is a process that loads most of the server, and so is much of what it starts.
  process.env['NODE_COMPILE_CACHE'] ??= join(root, '.cache/compile')
  const stream = run({
    cwd: root,
    globPatterns: named.length > 0 ? named : everything,
    // Not one per core less one, as by default: tests wait on disks and children more than they compute.
    concurrency: Math.max(2, availableParallelism()),
    timeout: 900_000,
  })
  stream.on('test:pass', countPass)
  stream.on('test:fail', countFail)
  stream.on('test:stderr', output => process.stderr.write(output.message))
  stream.on('test:summary', sayFile)
  stream.on('end', finish)
  stream.resume()
}

function countPass(event: EventData.TestPass): void {
  if (event.details.type === 'suite') return
  const isLeftOut = event.skip !== undefined || event.todo !== undefined
  if (isLeftOut)
    say(`skipped: ${place(event)} ${event.name}${typeof event.skip === 'string' ? ` (${event.skip})` : ''}`)
  counts[isLeftOut ? 'skipped' : 'passed'] += 1
}

function countFail(event: EventData.TestFail): void {
  const error = event.details.error
  // A parent fails with its child; the child has said why and is counted.
  if ('failureType' in error && error.failureType === 'subtestsFailed') return
  counts.failed += 1
  failures.push(`FAILED: ${place(event)} ${event.name}`)
  say(`${failures.at(-1)}\n${inspect(error.cause ?? error, { depth: 5 })}\n`)
}

function place(event: { file?: string; line?: number }): string {
  return event.file === undefined ? '' : `${relative(root, event.file)}:${event.line ?? 1}`
}

function sayFile(summary: EventData.TestSummary): void {
  if (summary.file === undefined) return
  const { tests, skipped, todo } = summary.counts
  const mark = summary.success ? 'ok  ' : 'FAIL'
  const seconds = (summary.duration_ms / 1000).toFixed(1)
  say(`${mark} ${relative(root, summary.file)}: ${tests - skipped - todo} tests, ${seconds} s`)
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
