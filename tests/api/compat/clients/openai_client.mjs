// OpenAI's client for JavaScript; arguments: the service's URL, a good key, a wrong one, one of a single request a minute.

import OpenAI from "openai";

const [url, good, wrong, slow] = process.argv.slice(2);
const HATEFUL = "All women are worthless and disgusting.";

const moderate = (apiKey, input) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }).moderations.create({ input });

async function errorOf(apiKey, input) {
  try {
    await moderate(apiKey, input);
  } catch (error) {
    return [error.constructor.name, error.status, error.type, error.param, error.code];
  }
}

const both = (await moderate(good, ["Good morning", HATEFUL])).results;
const one = (await moderate(slow, HATEFUL)).results;
console.log(
  JSON.stringify({
    hate: [...both, ...one].map((result) => result.category_scores.hate),
    errors: [await errorOf(good, []), await errorOf(wrong, "a"), await errorOf(slow, "a")],
  }),
);
