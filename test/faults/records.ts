/** A record of a run without what differs between equal runs: times, and the checksums of what holds times. */
export const withoutTimes = (text: string): string =>
  text.replace(/"(?:time|tokensPerSecond|wallSeconds|sha256)": ?[^,}\n]+/g, '').replace(/"seconds": \{[^}]*\}/g, '');
