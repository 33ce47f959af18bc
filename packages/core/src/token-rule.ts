// SPDX-License-Identifier: Apache-2.0
/** Rules with which secret scanners find tokens: all made from the one pattern. */
import { tokenPattern, tokenPrefix } from './token-form.ts'

/** A file for one scanner. */
export interface TokenRule {
  /** File name under which it is served and kept in the documentation. */
  readonly file: string
  readonly scanner: string
  readonly type: string
  readonly text: string
}

const about = 'Holdfast token: gives access to a package registry'
// Between word boundaries, so that no longer word is taken for a token, and two beside each other are both found.
const regex = `\\b(${tokenPattern})\\b`
const gitleaksRule = `[[rules]]
id = "holdfast-token"
description = "${about}"
regex = '${regex}'
secretGroup = 1
keywords = ["${tokenPrefix}"]`

const gitleaks = `title = "Holdfast tokens"

${gitleaksRule}
`

const trufflehog = `detectors:
  - name: Holdfast
    keywords:
      - ${tokenPrefix}
    regex:
      token: '${regex}'
`

// A literal string: in the other kind a backslash would not stay one.
const gitlab = `[secrets]
  description = "Holdfast tokens, beside the rules of GitLab"

  [[secrets.passthrough]]
    type = "raw"
    target = "gitleaks.toml"
    value = '''
[extend]
path = "/gitleaks.toml"

${gitleaksRule}
'''
`

const github = `${JSON.stringify(
  {
    name: 'Holdfast token',
    secret_format: tokenPattern,
    before_secret: '\\A|[^0-9A-Za-z_]',
    after_secret: '\\z|[^0-9A-Za-z_]',
  },
  undefined,
  2,
)}
`

/** Every rule, in the order of the documentation. */
export const tokenRules: readonly TokenRule[] = [
  { file: 'gitleaks.toml', scanner: 'gitleaks', type: 'application/toml', text: gitleaks },
  { file: 'trufflehog.yaml', scanner: 'TruffleHog', type: 'application/yaml', text: trufflehog },
  { file: 'github.json', scanner: 'GitHub custom pattern', type: 'application/json', text: github },
  {
    file: 'gitlab.toml',
    scanner: 'GitLab secret detection ruleset',
    type: 'application/toml',
    text: gitlab,
  },
]
