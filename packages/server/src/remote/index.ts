// SPDX-License-Identifier: Apache-2.0
/** Services behind ports. */
export { openKeyFolder } from './key-folder.ts'
