// SPDX-License-Identifier: Apache-2.0

/** One kind of expected problem: HTTP status, what it says, and what to do next. */
export interface ProblemRow {
  readonly status: number
  readonly say: string
  readonly hint: string
}

/**
 * Every problem that can be expected, alphabetical. A code is API: kebab-case, never renamed.
 * `docs/errors.md` repeats each row; a test holds the two equal and prints the line to add.
 */
export const problemTable = {
  'account-needed': {
    status: 409,
    say: '{user} is the only owner of {names}',
    hint: 'Hand them over first, with `npm owner add USER NAME` or `npm org set ORG USER owner`; then delete the account.',
  },
  'address-not-allowed': {
    status: 401,
    say: 'This token does not work from {address}',
    hint: 'Use it from one of the networks it was made for, or make a token for this one.',
  },
  'address-primary': {
    status: 409,
    say: '{email} is the primary address of your account',
    hint: 'Make another confirmed address the primary one first, then remove this one.',
  },
  'address-taken': {
    status: 409,
    say: 'This mail address belongs to another account',
    hint: 'Sign in to that account and remove the address there, or use another one.',
  },
  'address-unproven': {
    status: 409,
    say: '{email} is not a confirmed address of your account',
    hint: 'Open the link in the letter that went to it, or let it be sent again, then try again.',
  },
  'advisory-invalid': {
    status: 400,
    say: 'This is no advisory: {why}',
    hint: 'Write it as a document of the OSV schema about npm packages, without id and times, and send it again.',
  },
  'advisory-withdrawn': {
    status: 409,
    say: '{id} was withdrawn',
    hint: 'Publish a new one; what was taken back stays so that people can read why.',
  },
  'announcement-not-found': {
    status: 404,
    say: 'There is no such announcement',
    hint: 'See what is told at /status.',
  },
  'approval-over': {
    status: 410,
    say: 'This request for approval is over: it was denied, used, or has expired',
    hint: 'Run the command again and follow the new link.',
  },
  'assessment-unreadable': {
    status: 400,
    say: 'This is not what an assessment prints',
    hint: 'Give the file that `holdfast assess self --json` wrote, unchanged; or run `holdfast assess self --data DIR`.',
  },
  'attestations-not-found': {
    status: 404,
    say: 'no attestations of {name}@{version} are kept here that hold',
    hint: 'Why it says where it was built, or does not, stands on the page of the version.',
  },
  'bad-credentials': {
    status: 401,
    say: 'User name or password is wrong',
    hint: 'Check both and try again; whoever forgot the password asks the operator.',
  },
  'bad-tarball': {
    status: 400,
    say: 'The tarball is refused: {why}',
    hint: 'Pack it again with `npm pack`, look at its contents with `tar -tvf`, and publish the result.',
  },
  'body-too-large': {
    status: 413,
    say: 'The request body is larger than {limit} bytes',
    hint: 'Leave large files out of the package, or ask the operator to raise the limit.',
  },
  'bundle-refused': {
    status: 400,
    say: 'This bundle is refused: {why}',
    hint: 'Have it made and carried over again, and look at who could change it on the way.',
  },
  'case-changed': {
    status: 409,
    say: 'Somebody else changed this incident in the meantime',
    hint: 'Look at it as it is now, and change it again if you still want to.',
  },
  'case-closed': {
    status: 409,
    say: 'This case is closed',
    hint: 'What comes up now opens another one; its record stays as it is.',
  },
  'content-blocked': {
    status: 403,
    say: '{name}@{version} is refused: something stands in it that responders of this registry blocked: {why}',
    hint: 'If you know of nothing that could be meant, look at who can publish for you; if you think that is wrong, ask those who run this registry.',
  },
  'digest-mismatch': {
    status: 400,
    say: 'The {what} of the received bytes is {found}, but {wanted} was claimed',
    hint: 'The bytes changed on the way or were packed twice: pack again and publish the result.',
  },
  'drill-invalid': {
    status: 400,
    say: 'This drill cannot be played: {why}',
    hint: 'Name one of the playbooks: worm, account-takeover, leaked-token or upstream-takedown.',
  },
  'drill-not-open': {
    status: 409,
    say: 'This drill is over',
    hint: 'See its report at /operate/drills.',
  },
  'drill-running': {
    status: 409,
    say: 'Another drill is not over yet',
    hint: 'Wait for its end, or stop it with `holdfast drill stop`.',
  },
  'email-unverified': {
    status: 403,
    say: 'Your e-mail address is not verified yet',
    hint: 'Open the link in the mail we sent you, or ask for a new one on your account page.',
  },
  'file-unreadable': {
    status: 400,
    say: 'The file cannot be read: {why}',
    hint: 'Check that it is there, whole, and readable for this account, and try again.',
  },
  forbidden: {
    status: 403,
    say: 'You may not {act}',
    hint: 'You can {ask}.',
  },
  'foreign-origin': {
    status: 403,
    say: 'This form was sent from {origin}, not from this site',
    hint: 'Open the page of this registry yourself and send the form from there.',
  },
  frozen: {
    status: 403,
    say: '{what} is closed for now: {why}',
    hint: 'Nothing changes here until a responder of this registry opens it again; what is there can still be read.',
  },
  'import-unreadable': {
    status: 400,
    say: 'The old registry does not give it: {why}',
    hint: 'Mend it there; an import that is started again takes what is missing.',
  },
  internal: {
    status: 500,
    say: 'Something went wrong here, in request {request}',
    hint: 'Try again; if it stays, give the operator the request id.',
  },
  'invalid-body': {
    status: 400,
    say: 'The request body is not what this address expects: {why}',
    hint: 'Correct the body and send it again; a current npm, pnpm or yarn sends the right one.',
  },
  'invalid-digest': {
    status: 400,
    say: "'{digest}' is not a SHA-512 digest of 128 lower-case hexadecimal characters",
    hint: 'Give the digest in lower-case hexadecimal, as `sha512sum` prints it.',
  },
  'invalid-dist-tag': {
    status: 400,
    say: "'{tag}' cannot be a dist-tag: {why}",
    hint: 'Choose a word such as `next` or `beta` that cannot be mistaken for a version.',
  },
  'invalid-email': {
    status: 400,
    say: "'{email}' is not a mail address",
    hint: 'Give one plain address such as `you@company.example`.',
  },
  'invalid-json': {
    status: 400,
    say: 'The JSON cannot be read: {why}',
    hint: 'Correct the JSON and send it again.',
  },
  'invalid-login': {
    status: 400,
    say: "'{login}' cannot name a user, organisation or team: {why}",
    hint: 'Choose a short lower-case name such as `alice` or `acme-tools`.',
  },
  'invalid-package-name': {
    status: 400,
    say: "'{name}' cannot be a package name: {why}",
    hint: 'Use lower-case letters, digits, `-`, `_` and `.`, at most 214 characters, with at most one `@scope/` in front.',
  },
  'invalid-pattern': {
    status: 400,
    say: "'{pattern}' is not a name pattern: {why}",
    hint: 'Write a whole name, or a beginning followed by `*`, such as `@acme/*`, `acme-*` or `@acme/ui-*`.',
  },
  'invalid-text': {
    status: 400,
    say: 'Text with a NUL character cannot be stored or looked up',
    hint: 'Remove the NUL character and try again.',
  },
  'invalid-version': {
    status: 400,
    say: "'{version}' is not a version: {why}",
    hint: 'Use three numbers and perhaps a prerelease, such as `1.2.3` or `1.2.3-beta.1`.',
  },
  'invitation-invalid': {
    status: 403,
    say: 'This invitation is not valid: it was used, has expired, or never existed',
    hint: 'Ask whoever invited you for a new link.',
  },
  'issuer-unknown': {
    status: 400,
    say: "No issuer of {provider} jobs is known here as '{issuer}'",
    hint: "Ask the operator to add it to `ciIssuers`; the page of the package's trusted publishers lists those that are known.",
  },
  'job-token-invalid': {
    status: 401,
    say: 'The identity token of this CI job is not accepted: {why}',
    hint: 'Let the job ask for a new identity token for this registry; the page on trusted publishing of its documentation says how.',
  },
  'job-token-used': {
    status: 403,
    say: 'The identity token of this CI job was used before',
    hint: 'Let the job ask for a new one: each is good for one exchange.',
  },
  'key-damaged': {
    status: 500,
    say: 'The key file {path} cannot be used: {why}',
    hint: 'Put the file back from a backup of the keys folder; a new key would not open what the old one sealed.',
  },
  'key-exposed': {
    status: 500,
    say: 'Other accounts of this machine can reach {path}: its mode is {mode}',
    hint: 'Run `chmod {wanted} {path}`; if others may have read a key, replace it.',
  },
  'known-malware': {
    status: 403,
    say: '{name}@{version} is refused: its bytes are known to be bad: {why}',
    hint: 'If you did not make them, look at who can publish for you; if you think that is wrong, ask those who run this registry.',
  },
  'last-operator': {
    status: 409,
    say: '{user} is the last operator of this registry',
    hint: 'Make somebody else an operator first.',
  },
  'last-owner': {
    status: 409,
    say: '{user} is the last owner of {subject}',
    hint: 'Add another owner first, then remove this one.',
  },
  'last-way-in': {
    status: 409,
    say: 'This is the only way to sign in to {user}',
    hint: 'Add another passkey or set a password first, then remove this one.',
  },
  'latest-tag-kept': {
    status: 400,
    say: 'The tag `latest` cannot be removed',
    hint: 'Point it at another version instead: `npm dist-tag add NAME@VERSION latest`.',
  },
  'leaf-document-not-found': {
    status: 404,
    say: 'There is no document {digest} beside the log',
    hint: 'Copy the digest from the entry, such as `holdfast log show` prints; one that was erased is not there any more.',
  },
  'leaf-refused': {
    status: 400,
    say: 'This is no leaf of a log: {why}',
    hint: 'Whoever runs the log has to explain it; nothing in it may be believed.',
  },
  'lockfile-refused': {
    status: 400,
    say: 'The lock file is refused: {why}',
    hint: 'Send it as npm, pnpm, yarn or bun wrote it; make it anew where it was changed by hand.',
  },
  'log-behind': {
    status: 503,
    say: 'The log was signed at {signed} entries, but the database knows {found}',
    hint: 'The database is older than the log: restore a newer backup, or run `holdfast log recover --from-tiles --data DIR` and start again.',
  },
  'log-busy': {
    status: 503,
    say: 'Too much waits for the log: {waiting} entries',
    hint: "Publish again in a minute; the operator finds the reason at `holdfast doctor` and in the server's log.",
  },
  'log-damaged': {
    status: 503,
    say: 'The log cannot be used: {why}',
    hint: 'Put the log folder back from a backup or a mirror; its files never change, so any copy of them is right.',
  },
  'log-entry-not-found': {
    status: 404,
    say: 'The log has no published entry {entry}',
    hint: 'Look at the checkpoint for the size of the log; what was just published follows within seconds.',
  },
  'log-forked': {
    status: 503,
    say: 'The log is not the one that was signed before: {why}',
    hint: 'Find out which database or key was copied or restored before anything more is signed, as the operating guide says.',
  },
  'log-moved': {
    status: 409,
    say: 'Another process published a newer checkpoint',
    hint: 'Nothing is lost: the next round goes on from there.',
  },
  'log-unsynced': {
    status: 503,
    say: 'The disk did not keep what was written for the log: {why}',
    hint: 'Nothing is signed until the registry is started again: look after the disk first.',
  },
  'mail-domain-refused': {
    status: 403,
    say: 'This registry takes new accounts with addresses of {domains} only',
    hint: 'Sign up with such an address, or ask the operator for an invitation link.',
  },
  'manifest-mismatch': {
    status: 400,
    say: 'package.json in the tarball and the published manifest disagree on {field}: {found} and {wanted}',
    hint: 'Publish with a current client from a clean folder, so that both are made from one package.json.',
  },
  'measure-ended': {
    status: 409,
    say: 'This measure has ended, or waits for nobody',
    hint: 'Look at the list of measures: what was lifted is taken again as a new measure.',
  },
  'measure-invalid': {
    status: 400,
    say: 'This measure cannot be taken: {why}',
    hint: 'Say what it is about and why; a preview shows what it would close.',
  },
  'measure-needs-second': {
    status: 403,
    say: 'A second person has to say so: {why}',
    hint: 'Another responder says the same, or the owner of the machine with `holdfast operator measure`, `release` or `hold`.',
  },
  'measure-not-found': {
    status: 404,
    say: 'There is no such measure',
    hint: 'See all of them at /operate/measures.',
  },
  'measure-unconfirmed': {
    status: 400,
    say: 'This reaches {count} of what there is, or all of the registry: type {word} to confirm',
    hint: 'Look at the preview first, then repeat it with that word.',
  },
  'method-not-allowed': {
    status: 405,
    say: 'This address does not answer {method}',
    hint: 'Use one of the methods named in the `allow` header.',
  },
  'name-confusable': {
    status: 403,
    say: "'{name}' looks too much like the existing package '{other}'",
    hint: 'Publish under your scope, or choose a name that nobody can mistake for {other}.',
  },
  'name-not-hosted': {
    status: 403,
    say: "'{name}' is not among the names this registry hosts",
    hint: "On the registry's machine run `npx holdfast operator host --data DIR '{name}'`, then publish again.",
  },
  'name-routed': {
    status: 409,
    say: 'The names {pattern} come from the upstream {origin} by the configuration, and are hosted here as well',
    hint: 'A name has one origin: remove {pattern} from `routes`, or stop hosting it with `holdfast operator unhost`.',
  },
  'not-a-member': {
    status: 403,
    say: '{user} is not a member of {org}',
    hint: 'Add them first: `npm org set {org} {user} developer`.',
  },
  'not-found': {
    status: 404,
    say: 'Not found',
    hint: 'Check the address; the page "Use this registry" shows how clients are set up.',
  },
  'note-refused': {
    status: 400,
    say: 'This signed note is refused: {why}',
    hint: 'Compare the address and the keys that you trust with what the operator of the log made known.',
  },
  'operator-tokens-off': {
    status: 403,
    say: 'This registry is configured to hand out no tokens at its machine',
    hint: 'Let the account make its own token, or configure `operatorTokens: on` and run the command again.',
  },
  'org-exists': {
    status: 409,
    say: 'There is already an organisation {org}',
    hint: 'Choose another name, or ask one of its owners to add you.',
  },
  'org-not-found': {
    status: 404,
    say: 'There is no organisation {org}',
    hint: 'Check the spelling, or create the organisation on your account page.',
  },
  'other-network': {
    status: 409,
    say: 'This command was started in another network, at {address}',
    hint: 'Approve it only if you started it there yourself, and say so on the page; else deny it.',
  },
  'otp-required': {
    status: 401,
    say: 'This operation requires a one-time password.',
    hint: 'Repeat the command with `--otp=CODE` from your authenticator, or follow the link your client shows.',
  },
  'package-not-found': {
    status: 404,
    say: "There is no package '{name}' here, or you may not read it",
    hint: 'Check the spelling, and sign in with `npm login` if the package is private.',
  },
  'passkey-must-confirm': {
    status: 403,
    say: 'This account is confirmed by its passkey',
    hint: 'In the browser choose "Sign in with a passkey"; in a terminal let npm or pnpm open its page (no `--auth-type=legacy`, no `--otp`), or use `--otp` with a recovery code.',
  },
  'passkey-must-stay': {
    status: 409,
    say: 'The second factor of this account is its passkeys',
    hint: 'They are removed one by one on the security page of your account, in the browser.',
  },
  'passkey-not-found': {
    status: 404,
    say: 'You have no such passkey',
    hint: 'Look at the list on your account page: it may have been removed already.',
  },
  'passkey-proof-required': {
    status: 403,
    say: '{what} is confirmed by your passkey, not by a code',
    hint: 'In a terminal let npm or pnpm open its page (no `--otp`) and touch the passkey there; in the browser sign in with it, or recover the account when it is lost.',
  },
  'passkey-refused': {
    status: 401,
    say: 'The passkey was not accepted: {why}',
    hint: 'Open this page again from the address of this registry, and try again with a passkey that was made here.',
  },
  'passkey-required': {
    status: 403,
    say: "'{name}' is a critical package ({why}): only accounts with a passkey may change it",
    hint: 'Add a passkey at {link}, then try again; codes of an authenticator can be phished.',
  },
  'passkeys-unavailable': {
    status: 409,
    say: 'Passkeys do not work at {address}',
    hint: 'Ask the operator to set `publicUrl` to an https address with a host name instead of a number.',
  },
  'password-leaked': {
    status: 403,
    say: 'Your password is in collections of leaked passwords: change it before anything else',
    hint: 'Choose a new one at {link}, then try again.',
  },
  'password-not-enough': {
    status: 401,
    say: 'This account has two-factor authentication, so its password alone signs no request',
    hint: 'Run `npm login` to get a token for this command line.',
  },
  'policy-configured': {
    status: 409,
    say: 'The policy of this registry stands in its configuration',
    hint: 'Change `policy` in holdfast.yaml, then run `holdfast operator policy apply` or start anew.',
  },
  'policy-page-changed': {
    status: 409,
    say: 'Somebody else changed this page meanwhile',
    hint: 'Look at its present text, and change that.',
  },
  'presence-required': {
    status: 401,
    say: 'Confirm that it is you before you {operation}',
    hint: 'Confirm with your password or one-time password on the page that opens, then try again.',
  },
  'proof-refused': {
    status: 400,
    say: 'This is no proof of a log: {why}',
    hint: 'Fetch the proof again from the registry.',
  },
  'provenance-exposed': {
    status: 409,
    say: 'Opening {name} would show everybody where it was built: {sources}, which is not public',
    hint: 'Leave it restricted, or open it on its access page, where you say that this may be seen.',
  },
  'provenance-old': {
    status: 422,
    say: 'The provenance of {name}@{version} was signed at {at}, longer than {minutes} minutes ago or in the future',
    hint: 'Build and publish in one run, so that the provenance is made anew.',
  },
  'provenance-other-run': {
    status: 422,
    say: 'The provenance of {name}@{version} is of another run than the job that publishes it: its {what} differs',
    hint: 'Publish from the job that built it, and let npm make the provenance there with `--provenance`.',
  },
  'provenance-refused': {
    status: 422,
    say: 'The provenance of {name}@{version} is refused: {why}',
    hint: 'Nothing was published: build it anew and publish with the provenance of that build, or without.',
  },
  'provenance-unverifiable': {
    status: 422,
    say: 'The provenance of {name}@{version} cannot be verified here: {why}',
    hint: 'Publish with `--no-provenance`, or ask the operator to set `sigstoreTrustRoot`.',
  },
  'publisher-exists': {
    status: 409,
    say: '{name} trusts this very job already',
    hint: 'See `npm trust list {name}`; remove the other one first if this one is to replace it.',
  },
  'publisher-invalid': {
    status: 400,
    say: 'This trusted publisher cannot be added: {why}',
    hint: 'Correct it and add it again; nothing was changed.',
  },
  'publisher-limit': {
    status: 409,
    say: 'There may be at most {limit} {what}',
    hint: 'Remove one that is not used any more; the page of the package or the organisation shows them.',
  },
  'publisher-not-found': {
    status: 404,
    say: '{name} has no trusted publisher {id}',
    hint: 'List them with `npm trust list {name}`.',
  },
  'range-not-satisfiable': {
    status: 416,
    say: 'The requested range lies outside the {size} bytes there are',
    hint: 'Ask for a range within the size, or for the whole file.',
  },
  'rate-limited': {
    status: 429,
    say: 'Too many requests',
    hint: 'Wait for the number of seconds in the `retry-after` header and try again.',
  },
  'read-only-token': {
    status: 403,
    say: 'This token may only read',
    hint: 'Use a token with the right to write: `npm token create`, or `npm login`.',
  },
  'reader-refused': {
    status: 403,
    say: 'No organisation here lets this job read its packages: {job}',
    hint: 'Let an owner of the organisation add the owner of this job on its page of machines.',
  },
  'recovery-over': {
    status: 410,
    say: 'This recovery is over: it was finished, stopped, or has expired',
    hint: 'Begin again on the page /recover of this registry, or ask its staff.',
  },
  'recovery-own': {
    status: 403,
    say: 'Nobody recovers their own account as staff',
    hint: 'Ask two other members of the staff, or the owner of the machine.',
  },
  'recovery-second': {
    status: 403,
    say: 'You proposed this recovery, so somebody else must agree to it',
    hint: 'Ask another responder or operator to look at it.',
  },
  'recovery-waits': {
    status: 403,
    say: 'This recovery can be finished from {until} on',
    hint: 'Keep the link and open it again then; nobody can shorten the wait.',
  },
  'remote-failed': {
    status: 502,
    say: 'The other service {host} gave no good answer: {why}',
    hint: 'Try again later; if it stays, the operator checks that this instance can reach {host}.',
  },
  'remote-private': {
    status: 502,
    say: '{host} is on a private network, which this instance does not connect to',
    hint: 'If it is meant to, the operator adds {host} or its network to `allowPrivateHosts`.',
  },
  'report-link-invalid': {
    status: 410,
    say: 'This link of a report is used, has expired, or never existed',
    hint: 'A report counts once its link was opened within a day; report it again if it was not.',
  },
  'review-not-found': {
    status: 404,
    say: 'There is no such review',
    hint: 'See all of them at /security/reviews.',
  },
  'revision-conflict': {
    status: 409,
    say: "'{name}' was changed by someone else in the meantime",
    hint: 'Run the command again; it then works on the current state.',
  },
  'robot-exists': {
    status: 409,
    say: '{org} has a robot named {name} already',
    hint: 'Choose another name, or remove the other one first.',
  },
  'robot-not-found': {
    status: 404,
    say: '{org} has no robot or CI trust {id}',
    hint: 'Its page of machines lists what there is.',
  },
  'rule-not-found': {
    status: 404,
    say: 'The policy has no rule {rule}',
    hint: 'See its rules with `holdfast operator policy show`.',
  },
  'scope-in-use': {
    status: 409,
    say: 'Others have published packages below @{org}/, which an organisation {org} would own',
    hint: 'Choose another name, or ask the operator of this instance to make the organisation.',
  },
  'seal-broken': {
    status: 500,
    say: 'A stored secret cannot be opened with the key of this instance',
    hint: 'Put back the keys folder that belongs to this database, or set the secret anew.',
  },
  'sign-up-closed': {
    status: 403,
    say: 'This registry takes new accounts by invitation only',
    hint: 'Ask the operator for an invitation link.',
  },
  'signature-invalid': {
    status: 401,
    say: 'The signature of this report does not hold',
    hint: 'Sign the body as it is sent with a key that is configured here, and name that key in `github-public-key-identifier`.',
  },
  'stage-again': {
    status: 409,
    say: 'You approved {name}@{version} already; {missing} more must',
    hint: 'Others with the role maintainer or owner approve it too.',
  },
  'stage-needs-package': {
    status: 404,
    say: "'{name}' is not there: only versions of a package that is can be staged",
    hint: 'Publish its first version with `npm publish`; its owner then decides who approves the next ones.',
  },
  'stage-not-found': {
    status: 404,
    say: 'There is no such staged version',
    hint: 'It may have been approved or rejected, or have waited too long: `npm stage list` shows what waits.',
  },
  'stage-own': {
    status: 403,
    say: 'Whoever staged a version does not approve it',
    hint: 'Ask another maintainer of {name} to look at it.',
  },
  'stage-passkey': {
    status: 403,
    say: "Only accounts with a passkey approve versions of '{name}'",
    hint: 'Add a passkey at {link}, then try again; a code could be talked out of you.',
  },
  'stage-refused': {
    status: 409,
    say: '{name}@{version} cannot be approved any more: {why}',
    hint: 'Reject it, and stage it again.',
  },
  'stage-required': {
    status: 403,
    say: "Versions of '{name}' are staged, and published when enough people approve ({approvals})",
    hint: 'Use `npm stage publish`; its maintainers are told.',
  },
  'tag-not-found': {
    status: 404,
    say: "'{name}' has no tag '{tag}'",
    hint: 'List the tags with `npm dist-tag ls {name}`.',
  },
  'team-exists': {
    status: 409,
    say: 'There is already a team {team}',
    hint: 'Use the existing team, or choose another name.',
  },
  'team-not-found': {
    status: 404,
    say: 'There is no team {team}',
    hint: 'List the teams with `npm team ls ORG`, or create this one with `npm team create {team}`.',
  },
  'tfa-required': {
    status: 403,
    say: "'{name}' takes changes only from accounts with two-factor authentication",
    hint: 'Add a passkey or an authenticator at {link}, then try again.',
  },
  'tile-refused': {
    status: 400,
    say: '{tile} of the log is refused: {why}',
    hint: 'Fetch it again; if it stays so, tell the operator of the log.',
  },
  'token-exception': {
    status: 403,
    say: "This token skips the second factor, and '{name}' refuses that: {why}",
    hint: 'Use a token that asks for the second factor, or ask an owner for `npm access set mfa=automation {name}`.',
  },
  'token-expired': {
    status: 401,
    say: 'This token is not valid here: it has expired, was revoked, or belongs to another registry',
    hint: 'Sign in again with `npm login`, or make a new token.',
  },
  'token-in-package': {
    status: 400,
    say: 'A token lies in {name}@{version} ({files}) and must not become public; {done}',
    hint: 'Take it out, look with `npm pack --dry-run` at what is packed, and publish again with a new token.',
  },
  'token-life-too-long': {
    status: 400,
    say: 'A token that may {right} lives at most {longest}, not {wanted}',
    hint: 'Ask for less: `npm token create --expires=DAYS`, or choose a shorter life on the page; CI needs no token at all with trusted publishing.',
  },
  'token-not-found': {
    status: 404,
    say: 'You have no such token',
    hint: 'List your tokens with `npm token list`.',
  },
  'too-many': {
    status: 409,
    say: 'There can be at most {limit} {what}',
    hint: 'Remove one that you no longer use, then add the new one.',
  },
  'transfer-not-found': {
    status: 404,
    say: 'Nothing waits for the name {name}',
    hint: 'Ask for it at /transfer/npm/{name}.',
  },
  'transfer-open': {
    status: 409,
    say: 'Somebody asks for {name} already',
    hint: 'Wait until that is decided.',
  },
  'transfer-refused': {
    status: 409,
    say: '{name} cannot be asked for: {why}',
    hint: 'See /policy/naming.',
  },
  'transfer-step': {
    status: 409,
    say: 'This step cannot be taken for {name}: {why}',
    hint: 'See how it goes at /policy/naming.',
  },
  'trust-downgrade': {
    status: 403,
    say: '{name}@{version} proves less than the package did before: {why}',
    hint: 'Publish as before, or let an owner lower it on the access page of the package, which counts after 72 hours.',
  },
  'trust-refused': {
    status: 403,
    say: 'No trusted publisher of {name} lets this job in: {job}',
    hint: 'Compare with `npm trust list {name}`, and let an owner add or correct the publisher.',
  },
  'trust-unchanged': {
    status: 409,
    say: 'What versions of {name} must prove is not changed: {why}',
    hint: 'Look at the access page of the package for what it must prove now.',
  },
  unauthenticated: {
    status: 401,
    say: 'You must be signed in to do this',
    hint: 'Run `npm login`, or set a token for this registry in .npmrc.',
  },
  unavailable: {
    status: 503,
    say: 'The registry cannot do this right now: {why}',
    hint: 'Try again in a minute; if it stays so, tell the operator.',
  },
  'unpublish-refused': {
    status: 403,
    say: 'This cannot be unpublished: {why}',
    hint: 'Deprecate the version instead (`npm deprecate NAME@VERSION MESSAGE`), or ask the operator.',
  },
  'upstream-changed': {
    status: 502,
    say: 'The upstream of {name} now gives other bytes for {version} than those that came in before',
    hint: 'Use another version; nothing of this one is served until the operator knows from the upstream what happened.',
  },
  'upstream-failed': {
    status: 502,
    say: 'The upstream registry {origin} gave no good answer: {why}',
    hint: 'Try again later; if it stays, the operator looks at {origin} on the page of origins, or with `holdfast doctor`.',
  },
  'upstream-mismatch': {
    status: 502,
    say: 'The bytes of {name}@{version} from its upstream are not those it promised: {why}',
    hint: 'Try again; if it stays, something changes packages on their way here, and the operator must know.',
  },
  'user-exists': {
    status: 409,
    say: 'There is already a user {user}',
    hint: 'Choose another name, or sign in if this is you.',
  },
  'user-not-found': {
    status: 404,
    say: 'There is no user {user}',
    hint: 'Check the spelling of the user name.',
  },
  'version-blocked': {
    status: 403,
    say: '{name}@{version} is blocked by policy: {reason}',
    hint: 'Allowed instead: {next}; its page says how to ask for a waiver.',
  },
  'version-cooling': {
    status: 403,
    say: '{name}@{version} is too young: {reason}',
    hint: 'Allowed instead: {next}; it passes by itself later.',
  },
  'version-disbelieved': {
    status: 403,
    say: '{name}@{version} is not taken from its registry: {reason}',
    hint: 'Use another version; those who look after that registry can mend its record.',
  },
  'version-exists': {
    status: 403,
    say: 'You cannot publish over the previously published versions: {version}.',
    hint: 'Published versions never change: raise the version and publish again.',
  },
  'version-held': {
    status: 403,
    say: '{name}@{version} is held until a person has looked at it: {reason}',
    hint: 'Allowed instead: {next}; its page says whom to ask.',
  },
  'version-not-found': {
    status: 404,
    say: "'{name}' has no version {version}",
    hint: 'List the versions with `npm view {name} versions`.',
  },
  'version-quarantined': {
    status: 403,
    say: '{name}@{version} is quarantined: {reason}',
    hint: 'Do not use it; allowed instead: {next}.',
  },
  'version-removed': {
    status: 410,
    say: '{name}@{version} was removed and will not come back',
    hint: 'Use another version; a removed version number is never used again.',
  },
  'version-staged': {
    status: 409,
    say: '{name}@{version} is staged and waits for approval',
    hint: 'Approve or reject it first (`npm stage list {name}`), or raise the version.',
  },
  'waiver-decided': {
    status: 409,
    say: 'This waiver was decided already: {state}',
    hint: 'Ask for a new one.',
  },
  'waiver-not-found': {
    status: 404,
    say: 'There is no such waiver',
    hint: 'See all waivers at /operate/waivers.',
  },
  'waiver-own': {
    status: 403,
    say: 'Nobody grants their own wish',
    hint: 'Ask another responder, or run holdfast operator waiver grant at the machine.',
  },
  'waiver-pointless': {
    status: 409,
    say: 'A waiver cannot open {name}@{version}: {why}',
    hint: 'See /why/npm/{name}/{version}.',
  },
  'watch-limit': {
    status: 409,
    say: 'Nobody watches more than {count} things',
    hint: 'End some of your watches at /account/watches.',
  },
  'watch-link-invalid': {
    status: 410,
    say: 'This link ends no letters',
    hint: 'Sign in and choose at /account/watches.',
  },
  'weak-password': {
    status: 400,
    say: 'This password is refused: {why}',
    hint: 'Choose at least 12 characters that nobody else uses; a password manager makes good ones.',
  },
  'webhook-limit': {
    status: 409,
    say: 'Nobody has more than {count} webhooks',
    hint: 'Remove one at /account/webhooks.',
  },
  'webhook-not-found': {
    status: 404,
    say: 'There is no such webhook',
    hint: 'See yours at /account/webhooks.',
  },
  'witness-policy-refused': {
    status: 400,
    say: 'This policy of logs and witnesses is refused: {why}',
    hint: 'Compare it with the file that the operator of the log made known.',
  },
  'wrong-status': {
    status: 409,
    say: '{name}@{version} is {status}: {measure} does not apply to it',
    hint: 'Look at its present status first; what was done to it may be undone by the opposite measure.',
  },
} as const satisfies Record<string, ProblemRow>

/** The name of an expected problem. Clients branch on it. */
export type ProblemCode = keyof typeof problemTable
