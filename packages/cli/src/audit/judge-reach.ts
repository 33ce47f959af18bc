// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import {
  analyseReachability,
  type ParseSource,
  parseSymbols,
  type Reachability,
} from '../reachability/index.ts'
import type { Finding } from './known.ts'
import type { JudgeReach, Reach } from './reach.ts'

const noAnswer: Reachability = { verdict: 'unknown', why: 'it was not looked at', path: [], uses: [] }

/** A judge that analyses the application in the project's folder; `symbols` is a file of its people's own. */
export function createReachJudge(
  loadParser: () => Promise<ParseSource>,
  {
    entries,
    symbols,
  }: { readonly entries?: readonly string[] | undefined; readonly symbols?: string | undefined },
): JudgeReach {
  return async ({ folder }, findings) => {
    if (findings.length === 0) return []
    const project = {
      folder,
      ...(entries === undefined ? {} : { entries }),
      ...(symbols === undefined ? {} : { symbols: parseSymbols(readFileSync(symbols, 'utf8')) }),
    }
    const answers = await analyseReachability(project, findings.map(toHit), await loadParser())
    return findings.map(each => ({ ...each, reach: toReach(answers.get(keyOf(each)) ?? noAnswer) }))
  }
}

const keyOf = ({ flaw, name, version }: Finding): string => `${flaw.id} ${name}@${version}`

function toHit(finding: Finding) {
  const { flaw, name, version } = finding
  return { key: keyOf(finding), ids: [flaw.id], package: name, covers: (each: string) => each === version }
}

function toReach({ verdict, why, path }: Reachability): Reach {
  return {
    answer: verdict === 'not-reachable' ? 'not reachable' : verdict,
    why,
    path: path.map(({ file, line, what }) => `${file}:${line} ${what}`),
  }
}
