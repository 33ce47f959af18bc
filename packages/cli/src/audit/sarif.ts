// SPDX-License-Identifier: Apache-2.0
import type { Flaw, Severity } from './known.ts'
import type { JudgedFinding } from './reach.ts'

const levels: Readonly<Record<Severity, string>> = {
  low: 'note',
  moderate: 'warning',
  high: 'error',
  critical: 'error',
}
/** What readers of SARIF sort by: the middle of each span of CVSS. */
const scores: Readonly<Record<Severity, string>> = {
  low: '2.0',
  moderate: '5.5',
  high: '8.0',
  critical: '9.5',
}

/** Findings in the Static Analysis Results Interchange Format 2.1.0; `uri` and `text` are the lock file's. */
export function formatSarif(
  findings: readonly JudgedFinding[],
  version: string,
  uri: string,
  text: string,
): unknown {
  const rules = [...new Map(findings.map(({ flaw }) => [flaw.id, flaw])).values()]
  const lines = text.split('\n')
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Holdfast', semanticVersion: version, rules: rules.map(toRule) } },
        results: findings.map(each =>
          toResult(
            each,
            rules.findIndex(({ id }) => id === each.flaw.id),
            uri,
            lines,
          ),
        ),
      },
    ],
  }
}

function toRule({ id, title, url, severity }: Flaw): unknown {
  return {
    id,
    shortDescription: { text: title === '' ? id : title },
    ...(URL.canParse(url) ? { helpUri: new URL(url).href } : {}),
    defaultConfiguration: { level: levels[severity] },
    properties: { 'security-severity': scores[severity], tags: ['security'] },
  }
}

function toResult(each: JudgedFinding, ruleIndex: number, uri: string, lines: readonly string[]): unknown {
  const { flaw, name, version, fixed, path, reach, keys } = each
  const mend = fixed === undefined ? 'No fixed version is known.' : `Fixed in ${fixed}.`
  const place = lines.findIndex(line => keys.some(key => line.includes(key)))
  return {
    ruleId: flaw.id,
    ruleIndex,
    level: levels[flaw.severity],
    message: {
      text: `${name}@${version} has a flaw (${flaw.severity}): ${flaw.title}. ${mend} It is there by ${path.join(' > ')}.`,
    },
    locations: [
      { physicalLocation: { artifactLocation: { uri }, region: { startLine: Math.max(place, 0) + 1 } } },
    ],
    partialFingerprints: { 'finding/v1': `${name}@${version}:${flaw.id}` },
    properties: { path, fixed: fixed ?? null, scope: each.scope, ...(reach === undefined ? {} : { reach }) },
  }
}
