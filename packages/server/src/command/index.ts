// SPDX-License-Identifier: Apache-2.0
/** The verbs that touch the instance's own folder. The command line loads them by one lazy import. */
import { isProblem } from '@holdfast/core'
import { ConfigFaults } from '../config.ts'
import { type LookAlike, loadLookAlike } from '../vulnerability/index.ts'
import { UsageError } from './usage.ts'

export { readPackageContent } from '../integrity/index.ts'
export { loadSyntax } from '../vulnerability/index.ts'
export { readAssessedSettings } from './assessed-settings.ts'
export { readAdvisories } from './osv-file.ts'
export { screenSource } from './screen-file.ts'

/** Says of names whether each is taken for a well-used one of npm. The list is read when this is first called. */
export async function findLookAlikes(names: readonly string[]): Promise<readonly LookAlike[]> {
  const { findLookAlike, loadPopularNames } = await loadLookAlike()
  const index = await loadPopularNames()
  return names.map(name => findLookAlike(index, name))
}

const verbs: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  serve: async () => (await import('./serve.ts')).serve,
  operator: async () => (await import('./operator.ts')).operate,
  doctor: async () => (await import('./doctor.ts')).runDoctor,
  backup: async () => (await import('./backup.ts')).runBackup,
  'log-recover': async () => (await import('./log-recover.ts')).runLogRecover,
  restore: async () => (await import('./restore.ts')).runRestore,
  import: async () => (await import('./import.ts')).runImport,
}

/** The verbs `runServerCommand` knows. */
export const serverVerbs: readonly string[] = Object.keys(verbs)

/** Runs one verb; resolves with the exit code: 0 fine, 1 a check failed, 2 usage or configuration, 3 tampering. */
export async function runServerCommand(verb: string, args: readonly string[]): Promise<number> {
  const load = verbs[verb]
  if (load === undefined) throw new Error(`no such verb: ${verb}`)
  try {
    return await (await load())(args)
  } catch (error) {
    const text = explain(error)
    if (text === undefined) throw error
    process.stderr.write(`${text}\n`)
    return isProblem(error) && error.code === 'bundle-refused' ? 3 : 2
  }
}

function explain(error: unknown): string | undefined {
  if (error instanceof ConfigFaults)
    return ['The configuration has faults:', ...error.faults.map(fault => `  ${fault}`)].join('\n')
  if (error instanceof UsageError) return error.message
  if (isProblem(error)) return error.hint === '' ? error.message : `${error.message}. ${error.hint}`
  if (!(error instanceof Error)) return undefined
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (syscall === 'mkdir')
    return `The folder ${path} cannot be made: ${whyNoFolder[code ?? ''] ?? error.message}.`
  if (code === 'EADDRINUSE')
    return 'The port is taken by another process. Choose another with --port, or 0 for any that is free.'
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOSPC' || code === 'EROFS')
    return error.message
  return undefined
}

const whyNoFolder: Readonly<Record<string, string>> = {
  EEXIST: 'a file has that name',
  ENOTDIR: 'its path leads through a file',
  EACCES: 'this user may not write there',
  EROFS: 'the file system can only be read',
  ENOSPC: 'the disk is full',
}
