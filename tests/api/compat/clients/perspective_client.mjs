// Perspective's client for JavaScript; arguments: the service's URL, a good key, a wrong one, one of a single request a minute.

import perspective from "@conversationai/perspectiveapi-js-client";

const [url, good, wrong, slow] = process.argv.slice(2);
const HATEFUL = "All women are worthless and disgusting.";

async function score(key, text) {
  const client = new perspective.Client(key);
  client.perspectiveApiUrl = `${url}/v1alpha1/comments:analyze?key=${key}`;
  return (await client.getScores(text, { attributes: ["IDENTITY_ATTACK"] })).IDENTITY_ATTACK;
}

async function errorOf(key, text) {
  try {
    await score(key, text);
  } catch (error) {
    return [error.constructor.name, error.message];
  }
}

console.log(
  JSON.stringify({
    hate: [await score(good, "Good morning"), await score(good, HATEFUL), await score(slow, HATEFUL)],
    errors: [await errorOf(good, " "), await errorOf(wrong, "a"), await errorOf(slow, "a")],
  }),
);
