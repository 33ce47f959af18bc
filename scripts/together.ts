// SPDX-License-Identifier: Apache-2.0
/** Files of tests that share a process: to start one, load the server and publish a first version takes longer than most files. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe } from 'node:test'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')
const folder = join(root, '.cache/together')
/** What a file does to its process, or waits for as nobody beside it should have to. */
const alone =
  /process\.(?:env\[[^\]]+\] \?{0,2}=|chdir|exit)|\bmock\.|launchChromium|startRegistry|(?:command-line|engine|witness-process)\.ts/
const most = { heavy: 8, light: 24 }

/** Each file, or the name of one that stands for several which run in its process, one after the other. */
export async function shareProcesses(files: readonly string[]): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const shared = new Map<string, string[]>()
  const kept: string[] = []
  for (const file of files) {
    const group = (await isSocial(file)) ? groupOf(file) : undefined
    if (group === undefined) kept.push(file)
    else shared.set(group, [...(shared.get(group) ?? []), file])
  }
  const bundles = [...shared].flatMap(([group, members]) => split(group, members))
  const written = bundles.map(([name, members]) => write(name, members))
  return [...(await Promise.all(written)), ...kept]
}

/** Whether a file stands for others, or is where their suites are made. */
export function isTogether(file: string): boolean {
  return file.startsWith(folder) || file === import.meta.filename
}

/** Runs the tests of these files, each as a suite with its own hooks. */
export function runTogether(files: readonly string[]): void {
  for (const file of files)
    describe(relative(root, file), async () => {
      await import(pathToFileURL(file).href)
    })
}

async function isSocial(file: string): Promise<boolean> {
  return !alone.test(await readFile(file, 'utf8'))
}

/** By the folder: `flow`, `protocol` and `web` of the server's tests open a world each, tests beside a source none. */
function groupOf(file: string): string | undefined {
  const [, name, place, part] = relative(root, file).split('/')
  if (place === 'src') return `${name}-light`
  return place === 'test' && ['flow', 'protocol', 'web'].includes(part ?? '') ? `${part}-heavy` : undefined
}

function split(group: string, members: readonly string[]): [name: string, members: string[]][] {
  const count = Math.ceil(members.length / (group.endsWith('light') ? most.light : most.heavy))
  // By turns, as what is slow has similar names.
  return Array.from({ length: count }, (_, at) => [
    `${group}-${at + 1}`,
    members.filter((_, index) => index % count === at),
  ])
}

async function write(name: string, members: readonly string[]): Promise<string> {
  const file = join(folder, `${name}.test.ts`)
  const runner = pathToFileURL(import.meta.filename).href
  const text = `import { runTogether } from '${runner}'\nrunTogether(${JSON.stringify(members, null, 2)})\n`
  await writeFile(file, text)
  return file
}
