// What a card number, an expiry date and a CVV may look like. Pure: no DOM, no keys.
// Sources: ISO/IEC 7812-1 (Luhn, lengths), the networks' published IIN ranges.

/** @typedef {{name: string, label: string, lengths: number[], cvv: number, cvvName: string}} Brand */

/** @type {Record<string, Brand>} */
export const BRANDS = {
  visa: { name: "visa", label: "Visa", lengths: [13, 16, 19], cvv: 3, cvvName: "CVV" },
  mastercard: { name: "mastercard", label: "Mastercard", lengths: [16], cvv: 3, cvvName: "CVC" },
  amex: { name: "amex", label: "American Express", lengths: [15], cvv: 4, cvvName: "CID" },
  discover: { name: "discover", label: "Discover", lengths: [16, 17, 18, 19], cvv: 3, cvvName: "CVV" },
  diners: { name: "diners", label: "Diners Club", lengths: [14, 15, 16, 17, 18, 19], cvv: 3, cvvName: "CVV" },
  jcb: { name: "jcb", label: "JCB", lengths: [16, 17, 18, 19], cvv: 3, cvvName: "CVV" },
  unionpay: { name: "unionpay", label: "UnionPay", lengths: [16, 17, 18, 19], cvv: 3, cvvName: "CVN" },
  maestro: { name: "maestro", label: "Maestro", lengths: [13, 14, 15, 16, 17, 18, 19], cvv: 3, cvvName: "CVV" },
  other: { name: "other", label: "Card", lengths: [13, 14, 15, 16, 17, 18, 19], cvv: 3, cvvName: "CVV" },
};

// [first, last, digits compared, brand]; the first range that fits wins.
const RANGES = [
  [34, 34, 2, "amex"], [37, 37, 2, "amex"],
  [2221, 2720, 4, "mastercard"], [51, 55, 2, "mastercard"],
  [3528, 3589, 4, "jcb"],
  [300, 305, 3, "diners"], [3095, 3095, 4, "diners"], [36, 36, 2, "diners"], [38, 39, 2, "diners"],
  [6011, 6011, 4, "discover"], [644, 649, 3, "discover"], [65, 65, 2, "discover"],
  [62, 62, 2, "unionpay"], [81, 81, 2, "unionpay"],
  [5018, 5018, 4, "maestro"], [5020, 5020, 4, "maestro"], [5038, 5038, 4, "maestro"], [5893, 5893, 4, "maestro"],
  [6304, 6304, 4, "maestro"], [6759, 6759, 4, "maestro"], [6761, 6763, 4, "maestro"],
  [4, 4, 1, "visa"],
];

/** @param {string} text @returns {string} */
export const digitsOf = (text) => text.normalize("NFKC").replace(/\D/g, "");

/** The brand that a number's first digits tell, or null while they don't tell. @param {string} digits */
export function brandOf(digits) {
  for (const [first, last, length, name] of RANGES) {
    if (digits.length < length) continue;
    const head = Number(digits.slice(0, length));
    if (head >= first && head <= last) return BRANDS[name];
  }
  return digits.length >= 6 ? BRANDS.other : null;
}

/** @param {string} digits */
export function luhnValid(digits) {
  let total = 0;
  for (let index = 0; index < digits.length; index += 1) {
    let digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    if (index % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    total += digit;
  }
  return digits.length > 0 && total % 10 === 0;
}

/** Groups for typing: 4-6-5 for American Express, fours otherwise. @param {string} digits */
export function groupForTyping(digits) {
  const sizes = brandOf(digits)?.name === "amex" ? [4, 6, 5] : [4, 4, 4, 4, 3];
  const groups = [];
  let start = 0;
  for (const size of sizes) {
    if (start >= digits.length) break;
    groups.push(digits.slice(start, start + size));
    start += size;
  }
  return groups.join(" ");
}

/** Groups of four, for reading aloud. @param {string} digits */
export const groupInFours = (digits) => digits.match(/.{1,4}/g) ?? [];

/** @param {string} digits @returns {string} the message, or "" when the number is good */
export function numberProblem(digits) {
  if (!digits) return "Enter the card number.";
  const brand = brandOf(digits);
  const lengths = (brand ?? BRANDS.other).lengths;
  if (digits.length < Math.min(...lengths)) return "The card number is too short.";
  if (!lengths.includes(digits.length)) return "The card number does not have the right number of digits.";
  if (!luhnValid(digits)) return "That number is not quite right. Please check each digit.";
  return "";
}

/**
 * Reads "4/27", "04 / 27", "0427", "04/2027" and autofill's "2027-04".
 * @param {string} text @returns {{month: number, year: number} | null}
 */
export function parseExpiry(text) {
  const plain = text.normalize("NFKC").trim();
  const iso = /^(\d{4})-(\d{1,2})$/.exec(plain);
  const split = iso ? [iso[0], iso[2], iso[1]] : /^(\d{1,2})\s*[/\-. ]\s*(\d{2}|\d{4})$/.exec(plain) ?? /^(\d{2})(\d{2}|\d{4})$/.exec(plain);
  if (!split) return null;
  const month = Number(split[1]);
  const year = split[2].length === 2 ? 2000 + Number(split[2]) : Number(split[2]);
  return month >= 1 && month <= 12 ? { month, year } : null;
}

/** A card is good through the last day of its month. @param {string} text @param {Date} today */
export function expiryProblem(text, today) {
  if (!text.trim()) return "Enter the expiry date.";
  const expiry = parseExpiry(text);
  if (!expiry) return "Write the expiry date as month and year, such as 04 / 28.";
  const months = (expiry.year - today.getFullYear()) * 12 + (expiry.month - 1 - today.getMonth());
  if (months < 0) return "This card has expired.";
  if (months > 12 * 20) return "That year is too far ahead. Please check it.";
  return "";
}

/** @param {string} digits @param {Brand | null} brand */
export function cvvProblem(digits, brand) {
  if (!digits) return "Enter the security code.";
  const wanted = brand?.cvv ? [brand.cvv] : [3, 4];
  if (!wanted.includes(digits.length)) return `The security code has ${wanted.join(" or ")} digits.`;
  return "";
}

/** @param {string} name */
export function nameProblem(name) {
  if (!name.trim()) return "Enter the name as it stands on the card.";
  if (name.trim().length > 80) return "Use at most 80 letters.";
  if (digitsOf(name).length >= 6) return "Enter the name only; the number goes in its own field.";
  return "";
}

/** Types the slash for a person who types digits only. @param {string} text @param {boolean} deleting */
export function formatExpiry(text, deleting) {
  const parsed = /^\d{4}-\d{1,2}$|\d{4}$/.test(text.trim()) ? parseExpiry(text) : null;
  if (parsed && !/^\d{4}$/.test(text.trim())) return `${String(parsed.month).padStart(2, "0")} / ${String(parsed.year % 100).padStart(2, "0")}`;
  let digits = digitsOf(text).slice(0, 4);
  if (digits.length === 1 && digits > "1") digits = `0${digits}`;
  if (/^\d\s*\//.test(text.trim()) && digits.length >= 1 && digits[0] !== "0" && digitsOf(text.split("/")[0]).length === 1) {
    digits = `0${digits}`.slice(0, 4);
  }
  if (digits.length < 2 || (deleting && digits.length === 2)) return digits;
  return `${digits.slice(0, 2)} / ${digits.slice(2)}`;
}
