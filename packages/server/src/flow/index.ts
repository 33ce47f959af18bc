// SPDX-License-Identifier: Apache-2.0
export { type Applicant, checkPassword, ensureAccount, signUp } from './account.ts'
export { hostNames, unhostNames } from './host.ts'
export { noteDownload, openTarball, readDocument, readVersion, type TarballGrant } from './install.ts'
export { acceptInvitation, invite, readInvitation, setUpLink } from './invitation.ts'
export { provePresence } from './presence.ts'
export { admit, type Published, publish, type Upload } from './publish.ts'
export { type Measure, takeMeasure } from './respond.ts'
export { searchPackages } from './search.ts'
export {
  createToken,
  listOwnTokens,
  type NewToken,
  revokeToken,
  signOutToken,
  type TokenRequest,
} from './token.ts'
export { resendVerification, verifyEmail } from './verification.ts'
