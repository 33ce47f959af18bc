// SPDX-License-Identifier: Apache-2.0
/** The thread that screens tarballs: the bytes of one, and of the version before, in; what speaks against it out. */
import { createHash } from 'node:crypto'
import { isProblem } from '@holdfast/core'
import type { Finding } from '../catalog/index.ts'
import { type InspectLimits, type PackagePart, readPackageFiles } from '../integrity/index.ts'
import { answerJobs, standBack } from '../thread.ts'
import { loadRulePack, loadScreen, type ScreenedPackage } from '../vulnerability/index.ts'
import type { ScreenJob, ScreenWords } from './screen.ts'

const codePath =
  /\.(?:c|m)?(?:j|t)sx?$|\.(?:sh|bash|bat|cmd|ps1|py|node|wasm|exe|dll|so|dylib)$|(?:^|\/)[^.]+$/i
const warnFrom = 40
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare']

standBack()
answerJobs<ScreenJob, ScreenWords>(async ({ bytes, previous, limits, rules: folder }) => {
  const { screenPackage } = await loadScreen()
  const pack = await loadRulePack(folder)
  const screenNothing = () => screenPackage({ manifest: {}, files: [] }, undefined, pack)
  if (bytes === undefined)
    return { ...screenNothing(), state: 'allow', fault: pack.faults.join('\n'), news: [] }
  try {
    const before = previous && (await filesOf(previous, limits).catch(() => undefined))
    const given = await filesOf(bytes, limits)
    const listed = bytes instanceof Uint8Array ? pack.findTarball(bytes) : []
    const report = screenPackage(given, before, pack, listed)
    const unread = listUnread(given)
    const score = report.score + Math.max(0, ...unread.map(each => each.weight))
    const state = report.verdict === 'allow' && score >= warnFrom ? 'warn' : report.verdict
    const findings = [...report.findings, ...unread]
    const news = before ? listNews(given, before) : []
    return { state, score, findings, rules: report.rules, fault: '', news }
  } catch (error) {
    if (!isProblem(error)) throw error
    const fault = `its tarball cannot be read: ${String(error.data['why'])}`
    return { state: 'failed', score: 0, findings: [], rules: screenNothing().rules, fault, news: [] }
  }
})

async function filesOf(bytes: Uint8Array | PackagePart, limits: InspectLimits): Promise<PackagePart> {
  if (!(bytes instanceof Uint8Array)) return bytes
  return { ...(await readPackageFiles(bytes, limits)), leftOutNamed: [], leftOut: 0 }
}

/** Of a tarball that is too large to be read whole. */
function listUnread({ leftOutNamed, leftOut }: PackagePart): Finding[] {
  const about = { line: 0, excerpt: '' }
  const named = leftOutNamed.slice(0, 20).map(file => ({
    ...about,
    ...{
      rule: 'unread-code',
      file,
      why: 'a script names it, and it is too large to be read',
      weight: warnFrom,
    },
  }))
  const why = `the tarball is large: of its files ${leftOut} were not read`
  return leftOut === 0 ? named : [...named, { ...about, rule: 'partly-read', file: '', why, weight: 2 }]
}

/** What runs, or is brought along, and was not there before: what a worm carries from package to package. */
function listNews(given: ScreenedPackage, before: ScreenedPackage): string[] {
  const paths = new Set(before.files.map(each => each.path))
  const files = given.files.filter(each => !paths.has(each.path) && codePath.test(each.path))
  const told = new Set(listTold(before))
  return [
    ...listTold(given).filter(each => !told.has(each)),
    ...files.map(each => `file ${createHash('sha256').update(each.bytes).digest('hex')}`),
  ]
}

function listTold({ manifest }: ScreenedPackage): string[] {
  const scripts = Object.entries((manifest['scripts'] ?? {}) as Record<string, unknown>)
  const dependencies = ['dependencies', 'optionalDependencies'].flatMap(each =>
    Object.keys((manifest[each] ?? {}) as Record<string, unknown>),
  )
  return [
    ...scripts
      .filter(([name]) => installScripts.includes(name))
      .map(([name, text]) => `script ${name}: ${String(text).slice(0, 200)}`),
    ...dependencies.map(each => `dependency ${each}`),
  ]
}
