// SPDX-License-Identifier: Apache-2.0

/** The version of the OpenSSF/CISA *Principles for Package Repository Security* that the catalogue follows. */
export const frameworkVersion = '0.1'

/** What a repository is asked about itself, so that *not applicable* is derived and never claimed. */
export type TaxonomyQuestion = 'accounts' | 'built-packages'

/** The framework's tracks, and `beyond` for what later incidents taught. */
export type CapabilityTrack = 'authentication' | 'authorization' | 'general' | 'cli' | 'beyond'

/** The framework's maturity level; `beyond` has none. */
export type CapabilityLevel = 1 | 2 | 3 | undefined

/** The folder where a capability lives: a principle, the catalog, or the command line. */
export type CapabilityHome =
  | 'identity'
  | 'integrity'
  | 'vulnerability'
  | 'incident'
  | 'community'
  | 'catalog'
  | 'cli'

/** One thing that must be true of a repository, and how anybody can see that it is. */
export interface Capability {
  /** API: stands in code, on the security page, in `holdfast assess` and in reports. */
  readonly id: string
  readonly track: CapabilityTrack
  readonly level: CapabilityLevel
  readonly mustBeTrue: string
  readonly home: CapabilityHome
  readonly shownBy: string
}

/** What must be so for a track to apply: all of its questions answered yes. */
export const taxonomy: Readonly<Record<CapabilityTrack, readonly TaxonomyQuestion[]>> = {
  authentication: ['accounts'],
  authorization: ['accounts', 'built-packages'],
  general: [],
  cli: [],
  beyond: [],
}

const catalogue = [
  {
    id: 'authn-1-email',
    track: 'authentication',
    level: 1,
    mustBeTrue:
      'an account can do nothing for others (publish, own, invite) before its e-mail address is verified',
    home: 'identity',
    shownBy: 'sign up, try, be refused, verify, succeed',
  },
  {
    id: 'authn-1-recovery',
    track: 'authentication',
    level: 1,
    mustBeTrue:
      'the recovery policy is published; recovery needs what it says (recovery codes, second address, waiting time, notices), and staff cannot shorten it silently',
    home: 'identity',
    shownBy: 'page; walk through recovery; the event is in the log',
  },
  {
    id: 'authn-1-totp',
    track: 'authentication',
    level: 1,
    mustBeTrue: 'strong MFA at least by TOTP; no SMS, mail or phone codes',
    home: 'identity',
    shownBy: 'enrol, sign in, replay of a code refused, also with white space',
  },
  {
    id: 'authn-1-notify',
    track: 'authentication',
    level: 1,
    mustBeTrue:
      'mail on every critical change: password, address (to the old one too), MFA off, passkey added or removed, token made, owner or publisher changed, recovery begun',
    home: 'identity',
    shownBy: 'each change, mail received by a real SMTP server',
  },
  {
    id: 'authn-1-bruteforce',
    track: 'authentication',
    level: 1,
    mustBeTrue:
      'guessing is throttled for passwords, TOTP, recovery codes, tokens, each on its own counter, by account and by address; survives restart and several replicas',
    home: 'identity',
    shownBy: '10,000 guesses, none beyond the budget is evaluated',
  },
  {
    id: 'authn-2-domains',
    track: 'authentication',
    level: 2,
    mustBeTrue:
      'abandoned mail domains are found (DNS, RDAP registration date later than verification); recovery through such an address is switched off and the owner told otherwise',
    home: 'identity',
    shownBy: 'test DNS and RDAP servers: domain lapses, is re-registered',
  },
  {
    id: 'authn-2-webauthn',
    track: 'authentication',
    level: 2,
    mustBeTrue: 'MFA that cannot be phished: WebAuthn, several keys per account',
    home: 'identity',
    shownBy: 'real Chromium with a virtual authenticator',
  },
  {
    id: 'authn-2-critical',
    track: 'authentication',
    level: 2,
    mustBeTrue: 'MFA is required for critical packages (top 1 % by downloads or dependents, or marked so)',
    home: 'identity',
    shownBy: 'package becomes critical; a maintainer without MFA can no longer publish',
  },
  {
    id: 'authn-2-leaked',
    track: 'authentication',
    level: 2,
    mustBeTrue:
      'passwords are checked against leaked ones at sign-up, change and login (range protocol, and an offline list); a leaked one must be changed before anything else',
    home: 'identity',
    shownBy: 'local range server',
  },
  {
    id: 'authn-3-passkeys',
    track: 'authentication',
    level: 3,
    mustBeTrue: 'sign-in without a password, by discoverable passkeys',
    home: 'identity',
    shownBy: 'real Chromium',
  },
  {
    id: 'authn-3-all-mfa',
    track: 'authentication',
    level: 3,
    mustBeTrue:
      'all maintainers have MFA; nothing publishes on a password alone; a token that skips presence is a visible, dated, owner-approved exception',
    home: 'identity',
    shownBy: 'try each way in',
  },
  {
    id: 'authn-3-critical-phishing',
    track: 'authentication',
    level: 3,
    mustBeTrue: 'critical packages need phishing-resistant MFA of every maintainer',
    home: 'identity',
    shownBy: 'TOTP-only maintainer is refused and told what to do',
  },
  {
    id: 'authz-1-scoped-keys',
    track: 'authorization',
    level: 1,
    mustBeTrue:
      'tokens limited to packages or scopes, rights, expiry, address ranges; the limits are enforced on every path',
    home: 'identity',
    shownBy: 'property test: token × operation × path',
  },
  {
    id: 'authz-1-prefix',
    track: 'authorization',
    level: 1,
    mustBeTrue:
      'tokens carry a prefix of this repository, its instance id and a checksum (`holdfast_<instance>_…`), so that scanners find them without false alarms and know where to report',
    home: 'identity',
    shownBy: 'format test; published rules for common scanners',
  },
  {
    id: 'authz-2-rbac',
    track: 'authorization',
    level: 2,
    mustBeTrue: 'separate roles for managing people and for publishing; organisations and teams',
    home: 'identity',
    shownBy: 'matrix of role × operation',
  },
  {
    id: 'authz-3-oidc',
    track: 'authorization',
    level: 3,
    mustBeTrue:
      'trusted publishing: OIDC exchange for a short-lived token; GitHub, GitLab (also self-managed), CircleCI, any issuer with explicit claims; pending publishers; several per package; replay refused',
    home: 'identity',
    shownBy: 'real `npm publish` against a real OIDC provider',
  },
  {
    id: 'authz-3-scanning',
    track: 'authorization',
    level: 3,
    mustBeTrue:
      "secret-scanning programmes can report leaked tokens to an endpoint (GitHub's partner format, and a simple one); valid tokens are revoked at once, owner told",
    home: 'identity',
    shownBy:
      'signed report in, token dead within a second; tokens found in published tarballs are handled the same way',
  },
  {
    id: 'authz-3-provenance',
    track: 'authorization',
    level: 3,
    mustBeTrue:
      "build provenance is accepted, verified at publish, kept, served, shown; a package's trust never silently drops",
    home: 'integrity',
    shownBy: 'real attestations; tampered ones refused',
  },
  {
    id: 'general-1-vdp',
    track: 'general',
    level: 1,
    mustBeTrue: 'vulnerability disclosure policy with safe harbour and a 90-day aim; `security.txt`',
    home: 'community',
    shownBy: 'fetch and parse',
  },
  {
    id: 'general-1-typosquat',
    track: 'general',
    level: 1,
    mustBeTrue:
      'look-alike names are caught at first publish and at first proxying: namespaces, confusables, separators, edits, scope squats, combo words',
    home: 'vulnerability',
    shownBy: 'labelled pairs: recall and false alarms measured',
  },
  {
    id: 'general-2-unpublish',
    track: 'general',
    level: 2,
    mustBeTrue:
      'unpublish policy with time, downloads, dependents and owners; a version is never replaced, a name+version never reused; tombstones',
    home: 'catalog',
    shownBy: 'try all ways, also by race',
  },
  {
    id: 'general-2-report',
    track: 'general',
    level: 2,
    mustBeTrue: 'anybody can report a package by page, command line and API; reporters learn the outcome',
    home: 'community',
    shownBy: 'three reports, one case',
  },
  {
    id: 'general-2-malware',
    track: 'general',
    level: 2,
    mustBeTrue:
      'malware is looked for: known hashes, code patterns, behaviour, change against the previous version',
    home: 'vulnerability',
    shownBy: 'samples; false alarms on popular packages measured',
  },
  {
    id: 'general-2-warn',
    track: 'general',
    level: 2,
    mustBeTrue: 'known vulnerabilities of a package and of its dependencies are shown on its page',
    home: 'vulnerability',
    shownBy: 'page in a browser',
  },
  {
    id: 'general-3-review',
    track: 'general',
    level: 3,
    mustBeTrue:
      'periodic security reviews with dates, findings and remedies published; the instance reminds; passes only while the last dated review is younger than 12 months',
    home: 'community',
    shownBy: 'register, reminder',
  },
  {
    id: 'general-3-log',
    track: 'general',
    level: 3,
    mustBeTrue:
      'a public event log that can be verified: tiles, checkpoints, inclusion and consistency proofs, witnesses',
    home: 'integrity',
    shownBy: 'an independent verifier finds nothing wrong, and finds every planted fault',
  },
  {
    id: 'general-3-osv',
    track: 'general',
    level: 3,
    mustBeTrue:
      'advisories for malicious packages in OSV, through an API that OSV tools can use, and exportable to the public collections',
    home: 'vulnerability',
    shownBy: "schema-valid; osv-scanner's own query format answered",
  },
  {
    id: 'cli-1-pin',
    track: 'cli',
    level: 1,
    mustBeTrue: 'installs pinned by hash and version; unpinned and drifting entries found',
    home: 'cli',
    shownBy: '`holdfast verify` on lockfiles of npm, pnpm, yarn, bun',
  },
  {
    id: 'cli-2-warn',
    track: 'cli',
    level: 2,
    mustBeTrue: 'known vulnerabilities are told at install time',
    home: 'cli',
    shownBy: '`npm audit`, `pnpm audit`, `yarn npm audit` answered from here, and `holdfast audit`',
  },
  {
    id: 'cli-3-sbom',
    track: 'cli',
    level: 3,
    mustBeTrue: 'SBOM in CycloneDX and SPDX, schema-valid, with hashes, licences, provenance',
    home: 'cli',
    shownBy: 'validator',
  },
  {
    id: 'cli-3-fix',
    track: 'cli',
    level: 3,
    mustBeTrue: 'vulnerable dependencies are upgraded by the smallest allowed step, also transitive ones',
    home: 'cli',
    shownBy: 'real project before and after, its tests pass',
  },
  {
    id: 'cli-3-reachability',
    track: 'cli',
    level: 3,
    mustBeTrue: 'static analysis tells whether vulnerable code is reachable, with the path, to cut noise',
    home: 'cli',
    shownBy: 'labelled set: recall and precision measured',
  },
  {
    id: 'beyond-takedown',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      'what upstream withdraws is noticed by content (not by ETag), quarantined here, and those who have it are told',
    home: 'incident',
    shownBy:
      'upstream withdraws a version under an unchanged ETag; quarantined here, everybody who fetched it is told',
  },
  {
    id: 'beyond-blast',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      '"who got these bytes?" is one query: person, token, CI job, address, time; private packages that depend on it',
    home: 'incident',
    shownBy: 'fetch as person, token and CI job; one query names them all, and the dependants',
  },
  {
    id: 'beyond-publisher-gate',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      "a publish that breaks the package's habit is held: trust downgrade, first install script (also implicit `binding.gyp`), new maintainer, new or idle token, sudden velocity across packages",
    home: 'vulnerability',
    shownBy: 'a publisher breaks each habit in turn; each publish is held with its reason',
  },
  {
    id: 'beyond-one-gate',
    track: 'beyond',
    level: undefined,
    mustBeTrue: 'every path agrees on every version, proven by a property test',
    home: 'catalog',
    shownBy: 'property test: status × path, and the same over HTTP',
  },
  {
    id: 'beyond-fix-aware-age',
    track: 'beyond',
    level: undefined,
    mustBeTrue: 'release age policy that lets fixes through at once, dated waivers per version',
    home: 'vulnerability',
    shownBy: 'a fresh fix passes, a fresh feature waits, a waiver ends on its date',
  },
  {
    id: 'beyond-signatures',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      'upstream signatures and attestations verified on the way in, kept, and own signatures on everything that goes out',
    home: 'integrity',
    shownBy: 'a wrong upstream signature is refused; what goes out verifies with the published keys',
  },
  {
    id: 'beyond-freeze',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      'any maintainer can freeze a package; responders a scope, an account, a publisher, the registry; bulk revocation by predicate; all reversible, all logged',
    home: 'incident',
    shownBy: 'freeze and release at each size; publishes refused in between; the events are in the log',
  },
  {
    id: 'beyond-staged',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      'staged publishing with an approver who is not the stager, n of m, passkey, and the diff in front of their eyes',
    home: 'integrity',
    shownBy: 'the stager cannot approve; n of m approvers with passkeys can, after seeing the diff',
  },
  {
    id: 'beyond-weighted-reports',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      'reporters earn weight; trusted reports quarantine by themselves; a breaker stops a feed entry that would hit long-established or much-used versions',
    home: 'community',
    shownBy: 'trusted reports quarantine; a report against a much-used version trips the breaker',
  },
  {
    id: 'beyond-confusion',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      'one name has one origin, checked at start; an alarm when somebody takes your private name upstream',
    home: 'catalog',
    shownBy: 'two origins for one name stop the start; a private name appearing upstream raises the alarm',
  },
  {
    id: 'beyond-airgap',
    track: 'beyond',
    level: undefined,
    mustBeTrue: 'signed bundles: packages, advisories, proofs; verified on import',
    home: 'integrity',
    shownBy: 'export, carry over, import; a changed bundle is refused',
  },
  {
    id: 'beyond-explain',
    track: 'beyond',
    level: undefined,
    mustBeTrue: 'every refusal says which rule, what to use instead, how to ask for a waiver',
    home: 'catalog',
    shownBy: 'each refusal is provoked; each names rule, alternative and waiver',
  },
  {
    id: 'beyond-drill',
    track: 'beyond',
    level: undefined,
    mustBeTrue:
      'incidents can be rehearsed on the live instance without harm, and the time to contain is measured',
    home: 'incident',
    shownBy: 'a drill runs on the live instance, harms nothing and reports its times',
  },
] as const satisfies readonly Capability[]

/** The id of a capability in the catalogue. */
export type CapabilityId = (typeof catalogue)[number]['id']

/** The whole catalogue, in the framework's order. */
export const capabilities: readonly Capability[] = catalogue

/** Whether a capability applies to a repository that answers the taxonomy's questions so. */
export function isApplicable(
  capability: Capability,
  answers: Readonly<Record<TaxonomyQuestion, boolean>>,
): boolean {
  return taxonomy[capability.track].every(question => answers[question])
}
