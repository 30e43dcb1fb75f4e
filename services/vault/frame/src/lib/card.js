// What a card number, an expiry date and a CVV may look like. Pure: no DOM, no keys.
// Whose a number is and how long it may be stands in card-table.js, which is generated.
import { NETWORKS, RANGES } from "./card-table.js";

export { NETWORKS };

/** @typedef {import("./card-table.js").Network} Network */

const LONGEST = 19;
const SHORTEST = 12;
// So many digits tell every network apart.
const TELLING_DIGITS = 8;

/** Digits of any script as 0 to 9; everything else stays. @param {string} text */
const plainDigits = (text) => text.normalize("NFKC").replace(/\p{Nd}/gu, (char) => {
  // Each script's digits stand in a row from 0 to 9.
  let value = 0;
  for (let code = char.codePointAt(0) - 1; value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code)); code -= 1) value += 1;
  return String(value);
});

/** @param {string} text @returns {string} */
export const digitsOf = (text) => plainDigits(text).replace(/\D/g, "");

const rangeOf = (digits) => RANGES.find(([size, first, last]) => {
  const head = Number(digits.slice(0, size));
  return digits.length >= size && head >= first && head <= last;
});

/** The network that a number's first digits tell, or null while they don't tell. @param {string} digits */
export function brandOf(digits) {
  const range = rangeOf(digits);
  if (range) return NETWORKS[range[3]];
  return digits.length >= TELLING_DIGITS ? NETWORKS.other : null;
}

/** A network by its name; those that are not known are a "Card". @param {string} name */
export const networkNamed = (name) => (Object.hasOwn(NETWORKS, name) ? NETWORKS[name] : NETWORKS.other);

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

/** The groups that are printed on the card: 4-6-5 for American Express. @param {string} digits */
export function groupsOf(digits) {
  const brand = brandOf(digits)?.name;
  let sizes = [4, 4, 4, 4, Infinity];
  if (brand === "amex") sizes = [4, 6, Infinity];
  if (brand === "diners" && digits.length <= 14) sizes = [4, 6, Infinity];
  if (brand === "uatp") sizes = [4, 5, Infinity];
  const groups = [];
  let start = 0;
  for (const size of sizes) {
    if (start >= digits.length) break;
    groups.push(digits.slice(start, start + size));
    start += size;
  }
  return groups;
}

/** @param {string} digits */
export const groupForTyping = (digits) => groupsOf(digits).join(" ");

/** @param {string} digits @returns {string} the message, or "" when the number is good */
export function numberProblem(digits) {
  if (!digits) return "Enter the card number.";
  const lengths = rangeOf(digits)?.[4] ?? Array.from({ length: LONGEST - SHORTEST + 1 }, (_, more) => SHORTEST + more);
  if (digits.length < Math.min(...lengths)) return "The card number is too short.";
  if (digits.length > Math.max(...lengths)) return "The card number is too long.";
  if (!lengths.includes(digits.length)) return "The card number does not have the right number of digits.";
  if (!luhnValid(digits) || new Set(digits).size === 1) return "That number is not quite right. Please check each digit.";
  return "";
}

// Whatever people put between month and year.
const APART = "[^\\p{L}\\d]{1,5}";
const YEAR_FIRST = new RegExp(`^(\\d{4})${APART}(\\d{1,2})$`, "u");
const MONTH_FIRST = new RegExp(`^(\\d{1,2})${APART}(\\d{4}|\\d{2})$`, "u");
const MONTH_NAMED = /^(\p{L}{3,9})[^\p{L}\d]{0,5}(\d{4}|\d{2})$/u;
const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const LABEL = /^(?:exp(?:iry|ires|iration)?(?: date)?|valid(?: thru| until)?|good thru)(?!\p{L})/iu;

/** Without what nobody sees, a label before it, and signs around it. @param {string} text */
const tidied = (text) => {
  const seen = plainDigits(text).replace(/\p{Cf}/gu, "").trim();
  return seen.replace(LABEL, "").replace(/^[^\p{L}\d]{1,9}/u, "").replace(/[^\p{L}\d]{1,9}$/u, "");
};

/** "Sept 27" and "September 2027" as month and year, as MONTH_FIRST gives them. @param {string} text */
function named(text) {
  const found = MONTH_NAMED.exec(text);
  const month = found ? MONTHS.findIndex((name) => name.startsWith(found[1].toLowerCase())) + 1 : 0;
  return month ? ["", String(month), found[2]] : null;
}

/**
 * Reads "4/27", "04 / 27", "0427", "427", "04/2027", "042027", "4-2027", "2027-04", "202704", "Apr 27", "Exp. 04/27".
 * @param {string} text @returns {{month: number, year: number} | null}
 */
export function parseExpiry(text) {
  const typed = tidied(text);
  // "131" as it stands there while it is typed.
  const plain = /^(?:1[3-9]|2[1-9]) \/ \d$/.test(typed) ? typed.replace(" / ", "") : typed;
  const turned = YEAR_FIRST.exec(plain) ?? /^(20\d{2})(0[1-9]|1[0-2])$/.exec(plain);
  const split = turned ? [turned[0], turned[2], turned[1]] : named(plain) ?? MONTH_FIRST.exec(plain) ?? /^(\d{2})(\d{4}|\d{2})$/.exec(plain) ?? /^(\d)(\d{4}|\d{2})$/.exec(plain);
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

/** "3", or "3 or 4". @param {Network | null} network */
export const codeSizes = (network) => (network?.cvv ?? [3, 4]).filter((size) => size > 0);

/** Whether there are cards of this network without a security code. @param {Network | null} network */
export const mayLackCode = (network) => Boolean(network?.cvv.includes(0));

/** @param {string} digits @param {Network | null} network */
export function cvvProblem(digits, network) {
  if (!digits) return "Enter the security code.";
  const wanted = codeSizes(network);
  if (!wanted.includes(digits.length)) return `The security code has ${wanted.join(" or ")} digits.`;
  return "";
}

// They join or part letters of some scripts.
const JOINERS = "\u200c\u200d";

/** A name without what nobody sees, with plain blanks. @param {string} name */
export const cleanName = (name) => name.normalize("NFC").replace(/[\p{Cf}\p{Cc}\p{Zs}\u115f\u1160\u3164\uffa0\u2800]/gu, (char) => {
  if (JOINERS.includes(char)) return char;
  return /\p{Cf}/u.test(char) ? "" : " ";
}).replace(/ +/g, " ").trim();

/** @param {string} typed */
export function nameProblem(typed) {
  const name = cleanName(typed);
  if (digitsOf(name).length >= 6) return "Enter the name only; the number goes in its own field.";
  if (!/\p{L}/u.test(name)) return "Enter the name as it stands on the card.";
  if (name.length > 80) return "Use at most 80 letters.";
  return "";
}

const written = ({ month, year }) => `${String(month).padStart(2, "0")} / ${String(year % 100).padStart(2, "0")}`;

/**
 * Types the slash for a person who types digits only, and never cuts a digit off: while a year of four digits is being
 * typed it stands there as typed, and when it is whole it becomes "12 / 30" like one that was pasted.
 * @param {string} text @param {boolean} deleting @param {boolean} typing by keys; not pasted, not filled in
 */
export function formatExpiry(text, deleting, typing) {
  const plain = plainDigits(text).trim();
  const digits = digitsOf(plain);
  const parsed = parseExpiry(plain);
  // Two digits of a year may be the first two of four.
  if (parsed && (!typing || digits.length >= 6 || /\D\d{4}$/.test(plain) || /^\d{4}\D+(\d{2}|[2-9])$/.test(plain))) return written(parsed);
  // A month by its name, or a label: it is read when it is whole.
  if (deleting || digits.length > 6 || /\p{L}/u.test(plain)) return text;
  if (digits.startsWith("20") && !/^\D*2\D+0/.test(plain)) return digits.length > 4 ? `${digits.slice(0, 4)} - ${digits.slice(4)}` : digits;
  return slashed(plain, digits);
}

function slashed(plain, digits) {
  const [, first = "", apart = ""] = /^(\d*)(\D*)/.exec(plain) ?? [];
  const alone = first.length === 1 && (apart || first > "2");
  if (alone) return `0${digits[0]} / ${digits.slice(1)}`;
  return digits.length < 2 ? digits : `${digits.slice(0, 2)} / ${digits.slice(2)}`;
}
