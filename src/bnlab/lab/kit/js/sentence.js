// Pieces of the sentences that widgets say.

export const listed = (parts) => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`);
export const capitalized = (text) => text[0].toUpperCase() + text.slice(1);
/** A share in a headline: two digits. */
export const twoDigits = (share) => share.toFixed(2);
