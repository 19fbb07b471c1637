export * from './verification-header.js';
export {
  type DecodedVerification,
  decodeVerificationRecord,
  encodeVerificationRecord,
  type VerificationNumbers,
  type VerificationPlace,
  type VerificationProblem,
} from './verification-record.js';
