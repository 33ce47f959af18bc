// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import { type Needs, type Operation, operations } from './operation.ts'

/** What somebody may not do, in words that go after "You may not". */
const words = {
  'package:read': 'read {subject}',
  'package:create': 'make the name {subject}',
  'name:trust': 'set a trusted publisher for {subject}',
  'package:publish': 'publish versions of {subject}',
  'package:stage': 'stage versions of {subject}',
  'package:review': 'see staged versions of {subject}',
  'package:approve': 'approve staged versions of {subject}',
  'package:reject': 'reject staged versions of {subject}',
  'package:tag': 'change the dist-tags of {subject}',
  'package:deprecate': 'deprecate versions of {subject}',
  'package:yank': 'yank versions of {subject}',
  'package:unpublish': 'unpublish {subject}',
  'package:own': 'change the owners of {subject}',
  'package:access': 'change who may read {subject}',
  'package:trust': 'change the trusted publishers of {subject}',
  'package:star': 'star {subject}',
  'package:mark': 'mark {subject} as critical',
  'log:publish': 'publish a checkpoint of the log',
  'package:ingest': 'bring in packages of an upstream',
  'version:contain': 'quarantine or release versions',
  'measure:take': 'close or open things in this registry',
  'measure:lapse': 'end what nobody confirmed',
  'package:freeze': 'freeze {subject}',
  'advisory:write': 'write advisories',
  'policy:preview': 'look at lock files',
  'policy:read': 'see the policy at work',
  'policy:keep': 'spare what lock files name',
  'waiver:ask': 'ask for a waiver',
  'waiver:decide': 'decide on waivers',
  'project:submit': 'submit lock files',
  'project:read': 'see what projects are made of',
  'project:tell': 'tell owners of what they use',
  'org:submit': 'submit lock files of the organisation {subject}',
  'org:create': 'make organisations',
  'org:read': 'see the organisation {subject}',
  'org:manage': 'manage the organisation {subject}',
  'org:own': 'change the owners of the organisation {subject}',
  'account:create': 'make an account',
  'job:enter': 'enter as a CI job',
  'session:create': 'sign in as somebody else',
  'account:read': 'see the account of somebody else',
  'account:password': 'change the password of this account',
  'account:change': 'change this account',
  'status:announce': 'tell everybody of an incident',
  'transfer:ask': 'ask for names of others',
  'transfer:decide': 'decide whose a name is',
  'account:watch': 'watch for {subject}',
  'account:recover': 'recover this account',
  'account:assist': 'help to recover accounts',
  'account:delete': 'delete this account',
  'account:address': 'change the mail addresses of this account',
  'account:sign-out': 'end sessions of somebody else',
  'token:create': 'make tokens for this account',
  'token:revoke': 'revoke tokens of somebody else',
  'instance:operate': 'operate this instance',
  'log:read': 'read all entries of the log, some of which are of private packages',
  'report:make': 'report anything',
  'incident:read': 'read incidents',
  'incident:work': 'work on incidents',
  'incident:close': 'close incidents',
  'drill:run': 'rehearse incidents',
  'drill:play': 'play a drill',
  'instance:audit': 'read the audit trail',
} as const satisfies Record<Operation, string>

/** The refusal of somebody whose role does not reach: what, and whom to ask. */
export function forbid(operation: Operation, subject: string): Problem {
  return problem('forbidden', {
    act: wordsOf(operation, subject),
    ask: whomToAsk(operations[operation].needs, subject),
  })
}

/** The refusal of a token that does not reach, though whoever made it may. */
export function forbidToken(operation: Operation, subject: string): Problem {
  const { token } = operations[operation]
  const ask =
    token === 'never'
      ? 'do it on the web page, since no token can'
      : 'use a token that allows it, made on your account page with the right names, organisations and rights'
  return problem('forbidden', { act: `${wordsOf(operation, subject)} with this token`, ask })
}

/** An operation in words for people: after "You may not", or "before you". */
export function wordsOf(operation: Operation, subject: string): string {
  return words[operation].replace('{subject}', () => subject)
}

function whomToAsk(needs: Needs, subject: string): string {
  switch (needs.on) {
    case 'package':
      return `ask an owner of ${subject} for access`
    case 'name':
      return `ask an owner of the organisation that ${subject.split('/')[0]} belongs to for access, or choose another name`
    case 'org':
      return `ask an owner of the organisation ${subject}`
    case 'instance':
      return `ask the operator of this instance for the role ${needs.roles.join(' or ')}`
    case 'self':
      return 'sign in to that account'
    case 'signed-in':
    case 'machine':
    case 'anyone':
      return 'sign in with an account whose mail address is proven'
  }
}
